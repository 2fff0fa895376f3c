// Replay: messages of its own and of others are sent again long after they meant something. All of them are well signed;
// they are only too late.

import type { PbftMessage } from '../../../consensus/pbft/messages.ts'
import type { Lie } from './lie.ts'

/** Messages that are remembered, and sent again at a tick. */
const REMEMBERED_MAX = 200
const REPLAYED = 5

/** Sends old messages of all members again, the oldest that are remembered first. */
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
