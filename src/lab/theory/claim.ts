// A claim of a book or paper, and what came of it when the code was run. What is expected is computed by the paper's
// formula; what is measured comes out of the code; both are kept in words, as people read them.

/** One claim, judged. */
export interface Claim {
  readonly says: string
  readonly expected: string
  readonly measured: string
  readonly isTrue: boolean
}

/** Claims of one source. */
export interface ClaimGroup {
  readonly name: string
  /** Authors, title, year and section. */
  readonly source: string
  readonly claims: readonly Claim[]
}

/** A claim about figures, which must be equal one by one. */
export function claimEqual(
  says: string,
  {
    formula,
    expected,
    measured,
  }: { formula: string; expected: readonly unknown[]; measured: readonly unknown[] },
): Claim {
  return {
    says,
    expected: `${formula}: ${expected.join(', ')}`,
    measured: measured.join(', '),
    isTrue:
      expected.length === measured.length && expected.every((value, index) => value === measured[index]),
  }
}

/** A share as people read it; its space is one at which no line is broken. */
export function showShare(share: number): string {
  return `${(share * 100).toFixed(share < 0.01 ? 2 : 1)}\u00a0%`
}
