// The names of strangers: each has a new one for every connection, and none that a node could have. The name alone tells a
// stranger from a node, and where it stands.

import type { PeerId } from '../../replica/effects.ts'

const NAME = /^s(\d+)\.\d+$/

/** The `count`-th name of the stranger with this index. */
export function nameStranger(index: number, count: number): PeerId {
  return `s${index + 1}.${count}`
}

/** Whether a name is that of a stranger: nodes have others. */
export function isStranger(name: PeerId): boolean {
  return NAME.test(name)
}

/** Where a stranger stands: the first beside the first node, and so on. */
export function placeOfStranger(name: PeerId): number {
  return Number(NAME.exec(name)![1]) - 1
}
