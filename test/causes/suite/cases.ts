import type { Case } from './case.js';
import { CONTROLS } from './controls.js';
import { PATHOLOGIES } from './pathologies.js';

export const CASES: readonly Case[] = [...PATHOLOGIES, ...CONTROLS];
