/** A measured fact: what expressions, conditions and reports can compare. */
export type Scalar = string | number | boolean | null;
