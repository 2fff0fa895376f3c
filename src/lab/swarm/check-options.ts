// Whether the options of a simulation are options at all. A fault that is misspelt would otherwise never happen, a role that
// nobody knows would be played by an honest node, and the run would pass.

import { InvalidField } from '../../encoding/fields.ts'
import { LIAR_ROLES } from '../adversary/adversary.ts'
import { LIMIT_NAMES } from '../cluster/small-limits.ts'
import { FAULT_KINDS, RARE_FAULT_KINDS } from '../faults/fault-plan.ts'
import { LATENCY_TABLES } from '../network/latency-table.ts'
import { NETWORK_MODELS, SCHEDULERS } from '../network/network-model.ts'
import type { SimulationOptions } from './simulation-options.ts'

/** Nodes of a run at most, without twins. */
export const NODES_MAX = 50

const COUNT_MAX = Number.MAX_SAFE_INTEGER

/** Throws `InvalidField` for the first option that is none; the genesis file is read elsewhere. */
export function assertSimulationOptions(options: SimulationOptions): void {
  const { adversary, network, validators } = options
  whole('seed', options.seed, { min: 0, max: COUNT_MAX })
  whole('nodes', options.nodes, { min: 1, max: NODES_MAX })
  whole('blocks', options.blocks, { min: 0, max: COUNT_MAX })
  whole('transfers', options.transfers, { min: 0, max: COUNT_MAX })
  if (validators !== undefined && validators !== 'any')
    whole('validators', validators, { min: 1, max: NODES_MAX })
  for (const kind of options.faults) oneOf('faults', kind, [...FAULT_KINDS, ...RARE_FAULT_KINDS])
  if (adversary != null) {
    oneOf('adversary.role', adversary.role, ['all', ...LIAR_ROLES])
    if (adversary.count !== null) whole('adversary.count', adversary.count, { min: 0, max: NODES_MAX })
  }
  if (network != null) {
    oneOf('network.model', network.model, NETWORK_MODELS)
    if (network.scheduler != null) oneOf('network.scheduler', network.scheduler, SCHEDULERS)
    if (network.deltaMs != null) nonNegative('network.deltaMs', network.deltaMs)
    if (network.gstMs != null) nonNegative('network.gstMs', network.gstMs)
  }
  if (options.latency != null) oneOf('latency', options.latency, LATENCY_TABLES)
  if (options.bandwidth != null) nonNegative('bandwidth', options.bandwidth)
  if (options.timerScale !== undefined) nonNegative('timerScale', options.timerScale)
  for (const name of Object.keys(options.limits ?? {})) oneOf('limits', name, LIMIT_NAMES)
}

function whole(name: string, value: number, { min, max }: { min: number; max: number }): void {
  if (!Number.isSafeInteger(value) || value < min || value > max)
    throw new InvalidField(
      name,
      `expected a whole number from ${min} to ${max}, got ${JSON.stringify(value)}`,
    )
}

function nonNegative(name: string, value: number): void {
  if (!(value >= 0 && value < Number.POSITIVE_INFINITY))
    throw new InvalidField(name, `expected a number of 0 or more, got ${String(value)}`)
}

function oneOf(name: string, value: string, known: readonly string[]): void {
  if (!known.includes(value))
    throw new InvalidField(name, `expected one of ${known.join(', ')}, got ${JSON.stringify(value)}`)
}
