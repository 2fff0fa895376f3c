// ASERT, the difficulty rule: the target rises and falls exponentially with how far the chain is behind or
// ahead of its schedule since an anchor. This is aserti3-2d, the integer version (Mark Lundeberg et al.,
// "Static difficulty adjustments, with absolutely scheduled exponentially rising targets", 2020; Bitcoin Cash
// upgrade specification 2020-11-15). Being absolute, it keeps no window to be gamed and drifts never.

/** The block that a chain's schedule is measured from. */
export interface AsertAnchor {
  readonly target: bigint
  /** Seconds: the time of the anchor block's parent, or what stands in for it. */
  readonly parentTime: number
  readonly height: number
}

/** The rule's constants. */
export interface AsertParams {
  /** Seconds between blocks that the rule steers toward. */
  readonly blockTimeSeconds: number
  /** Seconds behind schedule after which the target has doubled. */
  readonly halfLifeSeconds: number
  /** The easiest target allowed. */
  readonly targetMax: bigint
}

/** The target that the child of a block at `height` with time `time` (seconds) must meet. */
export function asertTarget(
  params: AsertParams,
  anchor: AsertAnchor,
  parent: { height: number; time: number },
): bigint {
  const timeDelta = BigInt(parent.time - anchor.parentTime)
  const heightDelta = BigInt(parent.height - anchor.height)
  const blockTime = BigInt(params.blockTimeSeconds)
  // 16 binary digits after the point; the division truncates toward zero as the specification's does.
  const exponent = ((timeDelta - blockTime * (heightDelta + 1n)) * 65536n) / BigInt(params.halfLifeSeconds)
  const shifts = exponent >> 16n
  // So far ahead or behind that the bounds decide; no need for numbers of a million digits.
  if (shifts <= -256n) return 1n
  if (shifts >= 256n) return params.targetMax
  const fraction = exponent & 0xffffn
  // A cubic through 2^x on [0, 1): off by less than 0.013 %.
  const factor =
    65536n +
    ((195_766_423_245_049n * fraction +
      971_821_376n * fraction ** 2n +
      5_127n * fraction ** 3n +
      2n ** 47n) >>
      48n)
  const unshifted = anchor.target * factor
  const target = shifts < 16n ? unshifted >> (16n - shifts) : unshifted << (shifts - 16n)
  return target < 1n ? 1n : target > params.targetMax ? params.targetMax : target
}
