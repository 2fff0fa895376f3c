// The cluster in which attacks are tried: nodes with shares of all hashes. None is connected until the attack says so,
// because which nodes are connected is what most attacks are about.

import type { Address } from '../../chain/address.ts'
import type { RecoveryBackend } from '../../signatures/backend.ts'
import { SenderCache } from '../../signatures/sender-cache.ts'
import { signerRecovery } from '../../signatures/signer-recovery.ts'
import { Cluster } from '../cluster/cluster.ts'
import { NO_FAULTS } from '../faults/fault-plan.ts'
import { beneficiaryOf } from '../stage/simulated-network.ts'
import type { Variant } from '../stage/variant.ts'
import { createAccounts } from '../stage/workload.ts'
import { Random } from '../virtual/random.ts'
import { Schedule } from '../virtual/schedule.ts'
import { attackGenesis, GENESIS_TIME, HASHES_PER_BLOCK } from './header-miner.ts'

/** A node of the cluster. */
export interface NodePlan {
  readonly name: string
  /** Its share of all hashes. */
  readonly hashShare: number
  /** Whether it has a validator's key, where there are validators. */
  readonly isValidator: boolean
}

/** What the cluster is made of. */
export interface AttackClusterOptions {
  readonly variant: Variant
  readonly nodes: readonly NodePlan[]
  readonly funded: readonly Address[]
  /** Names the run. */
  readonly seed: string
  readonly backend: RecoveryBackend
}

/** Milliseconds in which all hashes together find one block. */
export const BLOCK_MS = 1_000
/** Milliseconds that virtual time starts after the genesis block. */
const AGE_MS = 10_000
/** Both ends notice when a connection ends, and none is made again by itself. */
export const LINK_TIMES = { ownNoticeMs: 1, noticeMs: 1, reconnectMs: null }

/** The cluster of one attack: its nodes are up, and not connected. */
export function createAttackCluster({
  variant,
  nodes,
  funded,
  seed,
  backend,
}: AttackClusterOptions): Cluster {
  const random = new Random(`quorate attack/network/${variant.name}/${seed}`)
  const voters = nodes.filter(plan => plan.isValidator)
  const keys = createAccounts(1, 'attacked-validator', voters.length)
  const named = voters.map(({ name }, index) => ({ name, address: keys[index]!.address }))
  const cluster = new Cluster({
    genesis: attackGenesis(variant, funded, named),
    schedule: new Schedule(),
    epochMs: GENESIS_TIME * 1_000 + AGE_MS,
    random: random.stream('network'),
    faults: { ...NO_FAULTS, delayMinMs: 1, delayMeanMs: 2 },
    linkTimes: LINK_TIMES,
  })
  const { recoverSender } = new SenderCache(backend)
  const recover = signerRecovery(backend)
  const added = nodes.map((plan, index) => {
    const { name, hashShare } = plan
    const voter = variant.hasValidators ? voters.indexOf(plan) : -1
    return cluster.add({
      id: name,
      beneficiary: beneficiaryOf(index),
      recoverSender,
      identity: {
        peer: name,
        secretKey: keys[voter]?.secretKey ?? null,
        sign: (digest, secretKey) => backend.sign(digest, secretKey),
        recover,
        mayForgetVotes: false,
      },
      random: random.stream(name),
      hashrate: (hashShare * HASHES_PER_BLOCK) / BLOCK_MS,
      clockOffsetMs: 0,
      isPunctual: true,
    })
  })
  for (const node of added) node.start()
  return cluster
}
