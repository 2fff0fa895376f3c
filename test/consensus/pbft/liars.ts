// Ways to lie that know PBFT: two values for two halves (alone, or with accomplices), forgeries, new views that leave
// out what was prepared, numbers beyond all bounds, and numbers that are none.

import type { Value } from '../../../src/consensus/log.ts'
import type { NewView, PbftMessage, Statement, ViewChange } from '../../../src/consensus/pbft/messages.ts'
import {
  newViewStatement,
  proposalsOf,
  viewChangeStatement,
} from '../../../src/consensus/pbft/view-change.ts'
import type { Certificate, Vote } from '../../../src/consensus/pbft/votes.ts'
import { quorumOf } from '../../../src/consensus/quorum.ts'
import type { Liar, LiarContext } from '../network.ts'

type Context = LiarContext<PbftMessage, Statement>
type PbftLiar = Liar<PbftMessage>

const FORGED = new Uint8Array(4).fill(255)
const HUGE = 2 ** 48

/** Tells members with odd numbers other values than the rest; accomplices vote for both. */
export function equivocating({ n, accomplices, heard, keyOf }: Context): PbftLiar {
  /** Votes for the other values, of the members that lie. */
  const other = new Map<string, Vote>()
  const otherValue = (value: Value): Value => (value === '' ? value : `${value}'`)
  const twist = (phase: 'prepare' | 'commit', { sequence, view, value }: Omit<Vote, 'phase'>): Vote => {
    const vote: Vote = { phase, sequence, view, value: otherValue(value) }
    for (const each of ['prepare', 'commit'] as const)
      other.set(`${each} ${sequence} ${view}`, { ...vote, phase: each })
    return vote
  }
  return {
    send: (message, to) => {
      if (to % 2 === 0 || accomplices.includes(to)) return [message]
      switch (message.type) {
        case 'pre-prepare': {
          const vote = twist('prepare', message)
          const liar = accomplices.find(member =>
            keyOf(member).isSigned({ ...vote, value: message.value }, member, message.signature),
          )
          return liar === undefined
            ? [message]
            : [{ ...message, ...vote, type: 'pre-prepare', signature: keyOf(liar).sign(vote) }]
        }
        case 'prepare': {
          const vote = twist('prepare', message)
          const liar = accomplices.find(member =>
            keyOf(member).isSigned({ ...vote, value: message.value }, member, message.proposal),
          )
          if (liar === undefined) return [message]
          const { value } = vote
          return [
            {
              ...message,
              value,
              signature: keyOf(message.from).sign(vote),
              proposal: keyOf(liar).sign(vote),
            },
          ]
        }
        case 'commit': {
          const vote = twist('commit', message)
          return [{ ...message, value: vote.value, signature: keyOf(message.from).sign(vote) }]
        }
        case 'proof':
        case 'status':
          return []
        default:
          return [message]
      }
    },
    // The certificates that a primary would collect, for the members that were told the other value.
    chatter: () =>
      [...other.values()].slice(-8).flatMap(vote => {
        const signatures = new Map(accomplices.map(member => [member, keyOf(member).sign(vote)]))
        for (const message of heard)
          if (
            (message.type === 'prepare' || message.type === 'commit') &&
            message.type === vote.phase &&
            message.view === vote.view &&
            message.sequence === vote.sequence &&
            message.value === vote.value
          )
            signatures.set(message.from, message.signature)
        if (signatures.size < quorumOf(n)) return []
        const certificate: Certificate = {
          ...vote,
          signatures: [...signatures]
            .map(([member, signature]) => ({ member, signature }))
            .sort((a, b) => a.member - b.member),
        }
        const odd = Array.from({ length: n }, (_, to) => to).filter(to => to % 2 === 1)
        return odd.map(to => ({ to, message: { type: 'proof', certificate } as const }))
      }),
  }
}

/** Speaks for others, and proves what was never agreed on. */
export function forging({ n, self, signing, heard, random }: Context): PbftLiar {
  const forge = (message: PbftMessage): PbftMessage[] => {
    switch (message.type) {
      case 'prepare':
      case 'commit':
        return [
          { ...message, from: random.below(n) },
          { ...message, from: n },
          { ...message, from: (self + 1) % n, value: `${message.sequence}:forged`, signature: FORGED },
          { ...message, signature: FORGED },
        ]
      case 'proof':
        return forgeProofs(message.certificate).map(certificate => ({ type: 'proof', certificate }))
      case 'view-change':
        return [
          { ...message, from: (self + 1) % n },
          { ...message, prepared: message.prepared.slice(1) },
          sealed({ ...message, prepared: message.prepared.flatMap(forgeProofs).slice(0, 1) }),
        ]
      default:
        return []
    }
  }
  const sealed = (message: ViewChange): ViewChange => {
    const own = { ...message, from: self }
    return { ...own, signature: signing.sign(viewChangeStatement(own)) }
  }
  return {
    send: message => [message],
    chatter: () =>
      heard
        .slice(-6)
        .flatMap(forge)
        .map(message => ({ to: random.below(n), message })),
  }
}

/** Certificates that look like this one and prove nothing. */
export function forgeProofs(certificate: Certificate): Certificate[] {
  const { signatures, view, value } = certificate
  if (signatures.length === 0) return []
  return [
    { ...certificate, signatures: signatures.slice(1) },
    { ...certificate, signatures: [signatures[0]!, ...signatures.slice(0, -1)] },
    { ...certificate, signatures: signatures.map((entry, index) => ({ ...entry, member: index + 1 })) },
    { ...certificate, view: view + 1 },
    { ...certificate, value: `${value}'` },
    { ...certificate, sequence: certificate.sequence + 1 },
    { ...certificate, phase: certificate.phase === 'commit' ? 'prepare' : 'commit' },
    { ...certificate, signatures: [] },
  ]
}

/** Leaves out what was prepared where it leaves a view, and as a new primary that, or enough of the view changes. */
export function omitting({ n, signing, random }: Context): PbftLiar {
  const forget = (message: ViewChange): ViewChange => {
    const { view, stable, suspects } = message
    const content = { view, stable, prepared: [], suspects }
    return { ...message, ...content, signature: signing.sign(viewChangeStatement(content)) }
  }
  const rewrite = (message: NewView): NewView => {
    const { view } = message
    const fewest = [...message.viewChanges].sort((a, b) => a.prepared.length - b.prepared.length)
    const tooFew = fewest.slice(0, quorumOf(n) - 1)
    const viewChanges = random.pick([
      fewest.slice(0, quorumOf(n)),
      tooFew,
      [...tooFew, ...tooFew.slice(0, 1)],
    ])
    const honest = proposalsOf(random.chance(0.5) ? viewChanges : message.viewChanges)
    const chosen = random.pick([
      honest,
      [],
      honest.map(({ sequence }) => ({ sequence, value: `${sequence}:lie` })),
    ])
    const proposals = chosen.map(({ sequence, value }) => ({
      sequence,
      value,
      signature: signing.sign({ phase: 'prepare', sequence, view, value }),
    }))
    const content = { view, viewChanges: viewChanges.sort((a, b) => a.from - b.from), proposals }
    return { type: 'new-view', ...content, signature: signing.sign(newViewStatement(content)) }
  }
  return {
    send: message => {
      if (message.type === 'view-change') return [forget(message)]
      return [message.type === 'new-view' ? rewrite(message) : message]
    },
  }
}

/** Proposes in views that have not begun, and besides what it must propose again there. */
export function preempting({ n, self, signing, random, heard }: Context): PbftLiar {
  const last = (key: 'view' | 'sequence'): number =>
    Math.max(
      0,
      ...heard.map(message =>
        key in message ? Number((message as unknown as Record<string, number>)[key]) : 0,
      ),
    )
  return {
    send: message => [message],
    chatter: () => {
      const view = last('view') + random.below(3)
      const sequence = Math.max(1, last('sequence') - random.below(3))
      const value = `${sequence}:early${random.below(2)}`
      const signature = signing.sign({ phase: 'prepare', sequence, view, value })
      return Array.from({ length: n }, (_, to) => ({
        to,
        message: { type: 'pre-prepare', sequence, view, value, from: self, signature } as const,
      }))
    },
  }
}

/** Signs numbers beyond all bounds. */
export function exaggerating({ n, self, signing, random }: Context): PbftLiar {
  const lies = (): PbftMessage[] => {
    const view = random.pick([0, 1, HUGE, Number.MAX_SAFE_INTEGER])
    const sequence = random.pick([1, 2, HUGE, Number.MAX_SAFE_INTEGER])
    const value = `${sequence}:huge`
    const sign = (phase: Vote['phase']) => signing.sign({ phase, sequence, view, value })
    const change = { view: random.pick([7, HUGE]), stable: null, prepared: [], suspects: [] }
    return [
      { type: 'pre-prepare', sequence, view, value, from: self, signature: sign('prepare') },
      {
        type: 'prepare',
        sequence,
        view,
        value,
        from: self,
        signature: sign('prepare'),
        proposer: self,
        proposal: sign('prepare'),
      },
      { type: 'commit', sequence, view, value, from: self, signature: sign('commit') },
      {
        type: 'checkpoint',
        sequence: random.below(1000) * 4,
        value,
        from: self,
        signature: FORGED,
      },
      { type: 'view-change', ...change, from: self, signature: signing.sign(viewChangeStatement(change)) },
      {
        type: 'status',
        from: self,
        view,
        isActive: false,
        votes: false,
        decided: sequence,
        value,
        timeoutMs: HUGE,
      },
    ]
  }
  return {
    send: message => [message],
    chatter: () => lies().map(message => ({ to: random.below(n), message })),
  }
}

/** Sends messages whose numbers are none. */
export function babbling({ n, heard, random }: Context): PbftLiar {
  const garble = (message: PbftMessage): PbftMessage => {
    const fields = Object.entries(message).map(([key, value]) => {
      if (typeof value !== 'number' || random.chance(0.4)) return [key, value]
      return [key, random.pick([Number.NaN, -1, 0.5, Infinity, -Infinity, HUGE])]
    })
    return Object.fromEntries(fields)
  }
  return {
    send: message => [message],
    chatter: () =>
      heard.slice(-8).map(message => ({
        to: random.below(n),
        message:
          message.type === 'proof'
            ? { ...message, certificate: garble(message.certificate as never) as never }
            : garble(message),
      })),
  }
}
