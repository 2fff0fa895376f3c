// A double-spend race: a miner with the share q of all hashes pays, mines a branch without the payment in secret, and
// shows it once the merchant has seen z confirmations and the branch has more work.
//
// The formulas of src/finality/reversal.ts count it a success when the attacker draws level. First seen wins ties, so a
// real attacker needs one block more: as M. Rosenfeld ("Analysis of hashrate-based double-spending", 2014) lets him, he
// finds that one before he pays. Then both are the same race.
//
//     o ── x1 ── x2 ── …      x1 found before the payment is made; shown when it outweighs what the merchant follows
//     └── b1 ── b2 ── … bz    b1 holds the payment; the merchant delivers at bz

import type { Random } from '../virtual/random.ts'

/** Where a race is run: the blocks of both sides, and the fork choice between them. */
export interface RaceField {
  /** The attacker finds a block, and keeps it. */
  mineSecret(): void
  /** The others find a block, and the merchant has it. */
  mineOpen(): void
  /** Whether the merchant would follow the secret branch if it was shown. */
  isHeavier(): boolean
  /** Shows the branch. Returns whether the payment is gone. */
  release(): boolean
}

/** One setting of the table. */
export interface RaceSetting {
  readonly share: number
  readonly confirmations: number
}

/** The success that an attacker forgoes by giving up, in all races of a setting together. */
export const FORGONE = 1e-3

/** Blocks behind at which an attacker gives up: from there he draws level with a probability of (q/p)^gap. */
export function hopelessGap(share: number, races: number): number {
  return Math.max(1, Math.ceil(Math.log(FORGONE / races) / Math.log(share / (1 - share))))
}

/** Runs one race to its end, which is whether the payment was reversed. */
export function runRace(field: RaceField, setting: RaceSetting, random: Random, gapMax: number): boolean {
  const { share, confirmations } = setting
  let [open, secret] = [0, 0]
  field.mineSecret()
  while (open - secret < gapMax) {
    if (random.chance(share)) {
      field.mineSecret()
      secret += 1
    } else {
      field.mineOpen()
      open += 1
    }
    if (open >= confirmations && field.isHeavier()) return field.release()
  }
  return false
}
