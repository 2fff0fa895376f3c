// Exaggeration: messages that are well formed, well signed and of no use. Sequence numbers and views far beyond what
// others have reached, indices that no member has, decisions without proof; and each vote first as the same key signs it
// on other networks. No honest member may follow them, and what it keeps of them must be bounded per member.

import { NO_VALUE, NUMBER_MAX, type Value } from '../../../consensus/log.ts'
import type { PbftMessage } from '../../../consensus/pbft/messages.ts'
import { newViewStatement, viewChangeStatement } from '../../../consensus/pbft/view-change.ts'
import type { Certificate, Vote } from '../../../consensus/pbft/votes.ts'
import { VALIDATORS_MAX } from '../../../finality/validators.ts'
import { tell } from './audience.ts'
import type { Lie, LieContext } from './lie.ts'

/** Doublings of the distance to what it speaks of, one a tick: the result can still be encoded. */
const DOUBLINGS_MAX = 40

type Place = Pick<Vote, 'sequence' | 'view'>

/** Exaggerates at every tick, and votes for other networks. */
export function exaggerate(context: LieContext): Lie {
  const { audience, elsewhere } = context
  let known: Value = NO_VALUE
  let ticks = 0
  return {
    say: said => [...tell(audience.others, ...foreign(said.message, elsewhere)), said],
    hear(message) {
      if (message.type === 'pre-prepare') known = message.value
      return []
    },
    tick() {
      ticks += 1
      const distance = 2 ** (ticks % DOUBLINGS_MAX)
      const places = farPlaces(context, distance)
      const votes = votesFor(context, known, places[ticks % places.length]!)
      const claims = [farCheckpoint(context, known, distance), ...farViews(context, known, distance)]
      return tell(audience.others, ...votes, ...claims)
    },
  }
}

/** A vote of its own as it would be on other networks. */
function foreign(message: PbftMessage, elsewhere: LieContext['elsewhere']): PbftMessage[] {
  switch (message.type) {
    case 'pre-prepare':
    case 'prepare':
    case 'commit': {
      const { type, sequence, view, value } = message
      const vote: Vote = { phase: type === 'commit' ? 'commit' : 'prepare', sequence, view, value }
      return elsewhere.map(sign => ({ ...message, signature: sign(vote) }))
    }
    case 'checkpoint':
    case 'proof':
    case 'view-change':
    case 'new-view':
    case 'status':
    case 'complaint':
    case 'query':
    case 'answer':
      return []
  }
}

/** Places in the log that no member has reached. */
function farPlaces({ state }: LieContext, distance: number): Place[] {
  const { decided, view } = state()
  return [
    { sequence: decided + 2, view },
    { sequence: decided + 1, view: view + distance },
    { sequence: decided + 1 + distance, view },
    { sequence: NUMBER_MAX, view: NUMBER_MAX },
  ]
}

/** Its votes there, and one in the name of no member. */
function votesFor({ n, self, signing }: LieContext, value: Value, { sequence, view }: Place): PbftMessage[] {
  const prepare = signing.sign({ phase: 'prepare', sequence, view, value })
  const commit = signing.sign({ phase: 'commit', sequence, view, value })
  const nobody = Math.min(n, VALIDATORS_MAX - 1)
  return [
    { type: 'pre-prepare', sequence, view, value, from: self, signature: prepare },
    {
      ...{ type: 'prepare', sequence, view, value, from: self, signature: prepare },
      ...{ proposer: self, proposal: prepare },
    },
    { type: 'commit', sequence, view, value, from: self, signature: commit },
    { type: 'commit', sequence, view, value, from: nobody, signature: commit },
  ]
}

function farCheckpoint(
  { self, signing, checkpointInterval }: LieContext,
  value: Value,
  distance: number,
): PbftMessage {
  const sequence = checkpointInterval * distance
  const signature = signing.sign({ phase: 'checkpoint', sequence, view: 0, value })
  return { type: 'checkpoint', sequence, value, from: self, signature }
}

/** Views and decisions that no member has reached. */
function farViews({ n, self, signing, state }: LieContext, value: Value, distance: number): PbftMessage[] {
  const from = self
  const current = state()
  const asked = { view: current.view + distance, stable: null, prepared: [], suspects: [] }
  const viewChange = {
    type: 'view-change' as const,
    ...asked,
    from,
    signature: signing.sign(viewChangeStatement(asked)),
  }
  // The next of the views that are its own.
  const begun = {
    view: asked.view + n - ((asked.view + n - self) % n),
    viewChanges: [viewChange],
    proposals: [],
  }
  const decided: Vote = { phase: 'commit', sequence: current.decided + distance, view: current.view, value }
  const signature = signing.sign(decided)
  const signatures = Array.from({ length: n }, (_, member) => ({ member, signature }))
  const certificate: Certificate = { ...decided, signatures }
  const place = {
    view: asked.view,
    isActive: true,
    votes: true,
    decided: NUMBER_MAX,
    value,
    timeoutMs: NUMBER_MAX,
  }
  return [
    viewChange,
    { type: 'new-view', ...begun, signature: signing.sign(newViewStatement(begun)) },
    { type: 'proof', certificate },
    { type: 'status', from, ...place },
  ]
}
