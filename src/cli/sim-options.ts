// The options of `quorate sim` and examples of its use.
// What the options mean together is checked where they are read (sim-settings.ts).

import { PATTERN } from '../finality/modes/committee-mode.ts'
import { LONGEST_CHAIN } from '../finality/modes/longest-chain.ts'
import { LIAR_ROLES } from '../lab/adversary/adversary.ts'
import { LIMIT_NAMES } from '../lab/cluster/small-limits.ts'
import { FAULT_KINDS, RARE_FAULT_KINDS } from '../lab/faults/fault-plan.ts'
import { LATENCY_TABLES } from '../lab/network/latency-table.ts'
import { NETWORK_MODELS, SCHEDULERS } from '../lab/network/network-model.ts'
import { MODE_NAMES, WORK_MODES } from './finality-option.ts'

/** Nodes of a run at most. */
export const NODES_MAX = 50

/** The options of the command. */
export const simOptions = {
  finality: {
    type: 'string',
    choices: MODE_NAMES,
    describe: 'The finality to simulate',
    defaultDescription: LONGEST_CHAIN.name,
  },
  genesis: {
    type: 'string',
    describe: 'Genesis file instead; its work is made easy, and its validators are nodes of the run',
    defaultDescription: 'the simulated one of the finality',
  },
  nodes: {
    type: 'number',
    describe: 'How many nodes, 1 to 50',
    defaultDescription: '5, or as many as validators',
  },
  validators: {
    type: 'string',
    describe: 'The first so many nodes are validators; any draws 1 to 10, and followers, from the seed',
    defaultDescription: 'all nodes',
  },
  pattern: {
    type: 'string',
    choices: PATTERN.choices,
    describe: 'How votes travel, whatever the genesis file says',
  },
  byzantine: {
    type: 'string',
    describe: `Validators that lie, as ROLE[:COUNT], ROLE being all or one of: ${LIAR_ROLES.join(', ')}; as many as can be borne unless a count is given`,
  },
  'lying-peer': {
    boolean: true,
    default: false,
    describe: 'One of four nodes or more, none that votes, lies about its chain to those who catch up',
  },
  'lying-miner': {
    type: 'boolean',
    default: false,
    describe: 'One of three nodes or more also sends mined blocks that break the rules, one each',
  },
  'hostile-clients': {
    type: 'boolean',
    default: false,
    describe: 'Some clients flood pools, replace their transactions in a war, spend more than they have',
  },
  faults: {
    type: 'string',
    default: 'none',
    describe: `none, or a list of: all; ${FAULT_KINDS.join(', ')}; and of these, which all leaves out: ${RARE_FAULT_KINDS.join(', ')}`,
  },
  network: {
    type: 'string',
    choices: NETWORK_MODELS,
    describe: 'What the network promises',
    defaultDescription: 'nothing until the faults end',
  },
  delta: { type: 'number', describe: 'With --network: milliseconds within which messages arrive' },
  gst: { type: 'number', describe: 'With --network partial: milliseconds from which they do' },
  scheduler: {
    type: 'string',
    choices: SCHEDULERS,
    describe: 'With --network asynchronous: who chooses the delays',
  },
  latency: { type: 'string', choices: LATENCY_TABLES, describe: 'How far nodes are from each other' },
  bandwidth: { type: 'number', describe: 'Bytes a second on each link in each direction' },
  'block-bytes': { type: 'number', describe: 'Bytes of a block at most, whatever the genesis file says' },
  'halving-blocks': { type: 'number', describe: 'Blocks until the reward is halved, whatever it says' },
  depth: {
    type: 'number',
    describe: `Blocks under the head that are final in ${WORK_MODES}, whatever it says; few make forks excused`,
  },
  limits: {
    type: 'string',
    describe: `Small limits of the nodes, as NAME=COUNT,NAME=COUNT: ${LIMIT_NAMES.join(', ')}`,
  },
  seed: {
    type: 'number',
    describe: 'The run to make; the same seed gives the same run',
    defaultDescription: '1',
  },
  seeds: { type: 'string', describe: 'Many runs: A..B' },
  blocks: { type: 'number', default: 30, describe: 'Height at which faults end and the nodes must agree' },
  transfers: { type: 'number', default: 60, describe: 'Transfers that clients hand in' },
  swarm: {
    type: 'boolean',
    default: false,
    describe: 'Draw every knob from each seed; only --finality, where given, holds for all',
  },
  require: {
    type: 'boolean',
    default: false,
    describe: 'Fail when something that should happen now and then never did',
  },
  shrink: {
    type: 'boolean',
    default: false,
    describe: 'Make the failing run of --seed short, and keep it as a file',
  },
  out: { type: 'string', describe: 'With --shrink: the file', defaultDescription: 'regression-SEED.json' },
  replay: { type: 'string', describe: 'Make the run of such a file again' },
  trace: { type: 'boolean', default: false, describe: 'Show the last events even when all is well' },
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
    'nothing becomes final, and nothing wrong does',
  ],
  [
    'quorate sim --hostile-clients --limits pool=4,gossip=1 --seeds 1..100',
    'pools of four transactions under attack',
  ],
  ['quorate sim --faults all --seed 7 --shrink', 'what of its faults a failing run needs to fail'],
  ['quorate sim --swarm --seeds 1..1000 --require', 'a thousand runs of which no two are alike'],
  ['quorate sim --finality pbft --validators 5 --latency continents', 'validators on five continents'],
] as const
