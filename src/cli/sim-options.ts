// The options of `quorate sim` and examples of its use.
// What the options mean together is checked where they are read (sim-settings.ts).

import { LONGEST_CHAIN } from '../finality/modes/longest-chain.ts'
import { PATTERN_NAMES } from '../finality/registry.ts'
import { LIAR_ROLES } from '../lab/adversary/adversary.ts'
import { LIMIT_NAMES } from '../lab/cluster/small-limits.ts'
import { FAULT_KINDS, RARE_FAULT_KINDS } from '../lab/faults/fault-plan.ts'
import { LATENCY_TABLES } from '../lab/network/latency-table.ts'
import { NETWORK_MODELS, SCHEDULERS } from '../lab/network/network-model.ts'
import { MODE_NAMES, WORK_MODES } from './finality-option.ts'

/** The options of the command. */
export const simOptions = {
  finality: {
    type: 'string',
    choices: MODE_NAMES,
    describe: 'Finality mode to simulate',
    defaultDescription: LONGEST_CHAIN.name,
  },
  genesis: {
    type: 'string',
    describe: 'Genesis file to simulate; its work is made easy, and its validators are nodes of the run',
    defaultDescription: 'the simulated one of the finality',
  },
  nodes: {
    type: 'number',
    describe: 'Number of nodes, 1 to 50',
    defaultDescription: '5, or as many as validators',
  },
  validators: {
    type: 'string',
    describe: 'Number of validators, the first nodes; any draws 1 to 10, and followers, from the seed',
    defaultDescription: 'all nodes',
  },
  pattern: {
    type: 'string',
    choices: PATTERN_NAMES,
    describe: 'Message pattern of the votes; overrides the genesis file',
  },
  byzantine: {
    type: 'string',
    describe: `Validators that lie, as ROLE[:COUNT], ROLE being all or one of: ${LIAR_ROLES.join(', ')}; f of them, the most that safety allows, unless a count is given`,
  },
  'lying-peer': {
    boolean: true,
    default: false,
    describe: 'One node of at least four, not a validator, lies about its chain to nodes that catch up',
  },
  'lying-miner': {
    type: 'boolean',
    default: false,
    describe: 'One node of at least three also sends mined blocks that break the rules, one for each rule',
  },
  'hostile-clients': {
    type: 'boolean',
    default: false,
    describe: 'Some clients flood pools, keep replacing their transactions, and spend more than they have',
  },
  faults: {
    type: 'string',
    default: 'none',
    describe: `none, or a list of: all; ${FAULT_KINDS.join(', ')}; and of these, which all does not include: ${RARE_FAULT_KINDS.join(', ')}`,
  },
  network: {
    type: 'string',
    choices: NETWORK_MODELS,
    describe: 'Timing model of the network',
    defaultDescription: 'nothing until the faults end',
  },
  delta: { type: 'number', describe: 'With --network: milliseconds within which messages arrive (Δ)' },
  gst: { type: 'number', describe: 'With --network partial: milliseconds after which they do (GST)' },
  scheduler: {
    type: 'string',
    choices: SCHEDULERS,
    describe: 'With --network asynchronous: the scheduler that chooses the delays',
  },
  latency: { type: 'string', choices: LATENCY_TABLES, describe: 'Distances between the nodes' },
  bandwidth: { type: 'number', describe: 'Bytes per second on each link in each direction' },
  'block-bytes': { type: 'number', describe: 'Bytes of a block at most; overrides the genesis file' },
  'halving-blocks': {
    type: 'number',
    describe: 'Blocks until the reward is halved; overrides the genesis file',
  },
  depth: {
    type: 'number',
    describe: `Depth at which a block is final in ${WORK_MODES}; overrides the genesis file; at small depths reversals are excused`,
  },
  limits: {
    type: 'string',
    describe: `Small limits of the nodes, as NAME=COUNT,NAME=COUNT: ${LIMIT_NAMES.join(', ')}`,
  },
  seed: {
    type: 'number',
    describe: 'Seed of the run; the same seed gives the same run',
    defaultDescription: '1',
  },
  seeds: { type: 'string', describe: 'Seeds of many runs: A..B' },
  blocks: { type: 'number', default: 30, describe: 'Height at which faults end and the nodes must agree' },
  transfers: { type: 'number', default: 60, describe: 'Transfers that clients submit' },
  swarm: {
    type: 'boolean',
    default: false,
    describe: 'Draw every setting from each seed; only --finality, if given, holds for all',
  },
  require: {
    type: 'boolean',
    default: false,
    describe: 'Fail when an event that should happen in some runs happened in none',
  },
  shrink: {
    type: 'boolean',
    default: false,
    describe: 'Shrink the failing run of --seed, and write it to a file',
  },
  out: {
    type: 'string',
    describe: 'With --shrink: the file to write',
    defaultDescription: 'regression-SEED.json',
  },
  replay: { type: 'string', describe: 'Run a file of --shrink again' },
  trace: { type: 'boolean', default: false, describe: 'Show the last events also when all holds' },
} as const

/** Examples of the command, for its help. */
export const SIM_EXAMPLES = [
  ['quorate sim --faults all --seeds 1..500', 'five nodes, every fault, 500 runs'],
  ['quorate sim --faults crash,loss --seed 7 --trace', 'one run, with its last events'],
  [
    'quorate sim --lying-miner --faults all --seeds 1..500',
    'one of five miners sends blocks that break rules',
  ],
  [
    'quorate sim --finality pbft --validators any --faults all --byzantine all --seeds 1..500',
    'committees of 1 to 10, with liars of every kind',
  ],
  ['quorate sim --finality pbft --validators 7 --json', 'what a decision costs among seven'],
  [
    'quorate sim --finality pbft --network asynchronous --scheduler starving',
    'safety without progress: nothing becomes final',
  ],
  [
    'quorate sim --hostile-clients --limits pool=4,gossip=1 --seeds 1..100',
    'pools of four transactions under attack',
  ],
  ['quorate sim --faults all --seed 7 --shrink', 'the faults that a failing run needs to fail'],
  ['quorate sim --swarm --seeds 1..1000 --require', 'a thousand runs of which no two are alike'],
  ['quorate sim --finality pbft --validators 5 --latency continents', 'validators on five continents'],
] as const
