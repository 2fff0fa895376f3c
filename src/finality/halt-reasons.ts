// Why a node takes part in nothing any more: what it saw cannot be while no more validators are faulty than the protocol
// tolerates, or while all execute alike. Each reason is a line for the operator.

import type { BlockId } from '../chain/header.ts'
import type { Decision } from '../consensus/log.ts'
import type { CommitteeOptions } from './committee-context.ts'

type Network = Pick<CommitteeOptions, 'kit' | 'validators'>

/** Two decisions for one sequence number; `liars` are the names of validators that are proved to have lied. */
export function describeConflict(
  first: Decision,
  second: Decision,
  { network, liars }: { readonly network: Network; readonly liars: readonly string[] },
): string {
  const [one, other] = [first, second].map(decision => network.kit.describeDecision(decision))
  const proven =
    liars.length === 0 ? 'this node has proof against none' : `proven to have lied: ${liars.join(', ')}`
  return `two certificates for decision ${first.sequence}, ${one} and ${other}: ${tooMany(network)}; ${proven}`
}

/** A decided block that does not lie above the last final one. */
export function describeOtherBranch({ sequence, value }: Decision, final: BlockId, network: Network): string {
  return `decision ${sequence} is block ${value}, which does not lie above the last final block, ${final}: ${tooMany(network)}`
}

/** A quorum attests another state than ours after a decision. */
export function describeDiverged({ sequence }: Decision, { kit, validators }: Network): string {
  const quorum = kit.model.quorum(validators.size)
  return `${quorum} validators attest another state than ours at decision ${sequence}`
}

/** No view is left. */
export function describeExhausted(view: number, network: Network): string {
  return `no view is left after view ${view}: ${tooMany(network)}`
}

function tooMany({ kit, validators }: Network): string {
  return `more than the ${kit.model.tolerated(validators.size)} faulty validators that are tolerated`
}
