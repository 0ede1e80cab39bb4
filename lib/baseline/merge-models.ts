import type { MergeModels } from './baseline-merge.js';
import { WindowModel } from './window-model.js';

/** Merges the bytes of models, each made as much older as its age asks. @throws RangeError for bytes of none */
export function modelMerger(halfLifeMs: number): MergeModels {
  return (models) => {
    const merged = new WindowModel();
    for (const { bytes, ageMs } of models) {
      const model = WindowModel.fromBytes(bytes);
      if (ageMs > 0) model.decay(2 ** (-ageMs / halfLifeMs));
      merged.merge(model);
    }
    return merged.toBytes();
  };
}
