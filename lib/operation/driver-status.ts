/** A library that does work for the application, and whether that work is seen. */
export interface DriverStatus {
  /** The package's name, or `node:http` and the like. */
  driver: string;
  /** Absent for what is part of Node. */
  version?: string;
  seen: boolean;
  /** How it is seen, or why it is not. */
  how: string;
  /** What to do to have it seen. */
  advice?: string;
}
