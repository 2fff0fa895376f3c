// Replay: what anybody said, itself and others, is said again long after it meant something. All of it is well signed;
// it must only be too late.

import type { PbftMessage } from '../../../consensus/pbft/messages.ts'
import type { Lie } from './lie.ts'

/** Messages that are remembered, and said again at a tick. */
const REMEMBERED_MAX = 200
const REPLAYED = 5

/** Says old words of everybody again, the oldest that are remembered first. */
export function replay(): Lie {
  const heard: PbftMessage[] = []
  const remember = (message: PbftMessage): void => {
    heard.push(message)
    if (heard.length > REMEMBERED_MAX) heard.shift()
  }
  return {
    say(said) {
      remember(said.message)
      return [said]
    },
    hear(message) {
      remember(message)
      return []
    },
    tick: () => heard.splice(0, REPLAYED).map(message => ({ type: 'broadcast', message })),
  }
}
