// Events that should happen in some simulated runs. If one happens in none, too few seeds were run to mean much, or the
// simulator has lost a fault: a batch can be required to have seen all of them.

import { modeNamed } from '../finality/registry.ts'
import type { FaultEvent } from '../lab/faults/fault-events.ts'
import type { AgreementResult, SimulationResult } from '../lab/swarm/simulation-result.ts'

interface Sometimes {
  readonly text: string
  /** Whether it can happen only where validators agree, or only where every knob is drawn, and blocks are mined. */
  readonly needs: 'nothing' | 'agreement' | 'swarm' | 'mined swarm'
  readonly holds: (result: SimulationResult) => boolean
}

const counted = (text: string, pick: (agreement: AgreementResult) => number): Sometimes => ({
  text,
  needs: 'agreement',
  holds: ({ agreement }) => agreement !== null && pick(agreement) > 0,
})

const fault = (type: FaultEvent['type'], text: string): Sometimes => ({
  text,
  needs: 'swarm',
  holds: ({ script }) => script.events.some(event => event.type === type),
})

/** Milliseconds by which a clock is off that is off by more than clocks ever are. */
const MINUTES_MS = 60_000

const SOMETIMES: readonly Sometimes[] = [
  counted('a view that began with something prepared before', one => one.reproposals),
  counted('a branch that was left for a final block', one => one.forcedReorganisations),
  counted('a certificate that was asked for', one => one.pulledCertificates),
  counted('evidence of a lie', one => one.evidenceStored),
  counted('evidence of a view change that left out a vote', one => one.omissionsStored),
  {
    text: 'a crash of a node that was just starting',
    needs: 'nothing',
    holds: result => result.startCrashes > 0,
  },
  {
    text: 'a reorganisation of three blocks or more',
    needs: 'nothing',
    holds: result => result.deepestReorganisation >= 3,
  },
  {
    text: 'a block beside the main chain that was given up for lack of room',
    needs: 'mined swarm',
    holds: result => result.evictedBlocks > 0,
  },
  {
    text: 'a lying miner',
    needs: 'mined swarm',
    holds: ({ lyingMiner }) => lyingMiner !== null && Object.keys(lyingMiner.lies).length > 0,
  },
  {
    text: 'a lying peer',
    needs: 'swarm',
    holds: ({ lyingPeer }) => lyingPeer !== null && Object.keys(lyingPeer.lies).length > 0,
  },
  {
    text: 'a transaction that a full pool pushed out after it was acknowledged',
    needs: 'swarm',
    holds: result => result.evictions > 0,
  },
  {
    text: 'a transfer that a node dropped and that was submitted again',
    needs: 'swarm',
    holds: result => result.resubmitted > 0,
  },
  {
    text: 'hostile clients',
    needs: 'swarm',
    holds: ({ hostile }) => hostile !== null && Object.keys(hostile.attacks).length > 0,
  },
  {
    text: 'strangers that attacked',
    needs: 'swarm',
    holds: ({ strangers }) => strangers !== null && Object.keys(strangers.attacks).length > 0,
  },
  {
    text: 'a stranger that was denied',
    needs: 'swarm',
    holds: ({ strangers }) => strangers !== null && Object.keys(strangers.denials).length > 0,
  },
  {
    text: 'a transaction that was mined in place of another of its nonce',
    needs: 'swarm',
    holds: ({ hostile }) => hostile !== null && hostile.replacementsMined > 0,
  },
  fault('cut', 'a network cut in two'),
  fault('bridge', 'a network cut in two but for one node'),
  fault('ring', 'a network of majorities that all differ'),
  fault('mute', 'nodes that no other node heard'),
  fault('clog', 'a link that was closed for a while'),
  fault('crash', 'a crash'),
  fault('vote-crash', 'a crash right after a vote'),
  fault('amnesia', 'a validator that lost its votes'),
  fault('pause', 'a node that did nothing for a while'),
  fault('clock', 'a clock that jumped'),
  {
    text: 'a clock that was wrong by minutes',
    needs: 'swarm',
    holds: ({ script }) =>
      script.events.some(event => event.type === 'clock' && Math.abs(event.offsetMs) > MINUTES_MS),
  },
  fault('clock-stop', 'a clock that stood still'),
  fault('disk-failure', 'a disk that took nothing in'),
  fault('disk-loss', 'a disk that was lost or exchanged for an old one'),
  fault('bit-rot', 'a bit that flipped on a disk'),
  {
    text: 'a connection that ended because of damaged bytes',
    needs: 'swarm',
    holds: result => result.brokenConnections > 0,
  },
  ...(['synchronous', 'partial', 'asynchronous'] as const).map(
    (model): Sometimes => ({
      text: `a network that is ${model}`,
      needs: 'swarm',
      holds: result => result.model?.model === model,
    }),
  ),
]

/** In how many runs each of the rare things happened. */
export function describeSometimes(results: readonly SimulationResult[]): [string, string][] {
  return SOMETIMES.map(({ text, holds }): [string, number] => [text, results.filter(holds).length])
    .filter(([, count]) => count > 0)
    .map(([text, count]) => ['saw', `${text}: ${count} runs`])
}

/** What never happened in a batch although it could have. */
export function neverSeen(results: readonly SimulationResult[], isSwarm: boolean): string[] {
  const isAgreed = results.some(({ agreement }) => agreement !== null)
  const isMined = results.some(({ finality }) => modeNamed(finality)!.isMined)
  return SOMETIMES.filter(({ needs }) => (needs !== 'swarm' && needs !== 'mined swarm') || isSwarm)
    .filter(({ needs }) => needs !== 'mined swarm' || isMined)
    .filter(({ needs }) => needs !== 'agreement' || isAgreed)
    .filter(({ holds }) => !results.some(holds))
    .map(({ text }) => text)
}
