// `quorate status`, `peers`, `tips`: a running node at a glance.
// What the node answers is read field by field, as anything from outside is.

import { Fields, InvalidField, type Json } from '../encoding/fields.ts'
import { modeNamed } from '../finality/registry.ts'
import {
  hashField,
  quantityField,
  quantityText,
  readAnswer,
  readObject,
  textField,
} from '../wallet/rpc-answer.ts'
import type { RpcClient } from '../wallet/rpc-client.ts'
import { defineCommand } from './command.ts'
import { EXIT } from './exit-codes.ts'
import { clientOf, nodeOptions } from './node-option.ts'
import { columns, table } from './output.ts'
import { timeText } from './terminal-text.ts'

/** What `quorate_status` answers, as far as commands use it. */
export interface NodeStatus {
  readonly network: string
  readonly chainId: number
  readonly genesisId: string
  readonly head: {
    readonly id: string
    readonly height: number
    readonly time: number
    readonly stateRoot: string
  }
  readonly final: { readonly id: string; readonly height: number } | null
  readonly finality: string
  /** Blocks above the last final one. */
  readonly lag: number
  /** Why finality has stopped for good; null while it has not. */
  readonly halted: string | null
  /** Why the node, which has a validator's key, does not vote; null where it does, or has none. */
  readonly muted: string | null
  /** The block without which this node follows no chain; null where it was given none. */
  readonly checkpoint: { readonly id: string; readonly height: number; readonly isReached: boolean } | null
  /** Whether the network has miners. */
  readonly isMined: boolean
  readonly peers: number
  readonly pool: { readonly pending: number; readonly queued: number }
  readonly mining: {
    readonly beneficiary: string
    readonly blocksLeft: number | null
    readonly hashrate: number
  } | null
  readonly syncing: { readonly height: number; readonly target: number } | null
  /** What speaks against the node's clock; null for nothing. */
  readonly clock: { readonly behindSeconds: number; readonly peers: number } | null
  readonly version: string
}

/** Asks a node how it is. Throws what `RpcClient.call` throws. */
export async function readStatus(client: RpcClient): Promise<NodeStatus> {
  const method = 'quorate_status'
  return readObject(method, await client.call(method), fields => {
    const number = (of: typeof fields, name: string): number => Number(quantityField(of, name))
    const head = fields.object('head')
    const final = fields.isNull('final') ? null : fields.object('final')
    const mining = fields.isNull('mining') ? null : fields.object('mining')
    const checkpoint = fields.isNull('checkpoint') ? null : fields.object('checkpoint')
    const syncing = fields.isNull('syncing') ? null : fields.object('syncing')
    const clock = fields.isNull('clock') ? null : fields.object('clock')
    const pool = fields.object('pool')
    return {
      network: textField(fields, 'name'),
      chainId: number(fields, 'chainId'),
      genesisId: hashField(fields, 'genesisId'),
      head: {
        id: hashField(head, 'id'),
        height: number(head, 'height'),
        time: number(head, 'time'),
        stateRoot: hashField(head, 'stateRoot'),
      },
      final: final === null ? null : { id: hashField(final, 'id'), height: number(final, 'height') },
      finality: textField(fields, 'finality'),
      lag: number(fields, 'lag'),
      halted: fields.isNull('halted') ? null : textField(fields, 'halted'),
      muted: fields.isNull('muted') ? null : textField(fields, 'muted'),
      isMined: fields.parse('isMined', 'true or false', readFlag),
      checkpoint:
        checkpoint === null
          ? null
          : {
              id: hashField(checkpoint, 'id'),
              height: number(checkpoint, 'height'),
              isReached: checkpoint.parse('isReached', 'true or false', readFlag),
            },
      peers: number(fields, 'peers'),
      pool: { pending: number(pool, 'pending'), queued: number(pool, 'queued') },
      mining:
        mining === null
          ? null
          : {
              beneficiary: textField(mining, 'beneficiary'),
              blocksLeft: mining.isNull('blocksLeft') ? null : number(mining, 'blocksLeft'),
              hashrate: number(mining, 'hashrate'),
            },
      syncing:
        syncing === null ? null : { height: number(syncing, 'height'), target: number(syncing, 'target') },
      clock:
        clock === null
          ? null
          : { behindSeconds: number(clock, 'behindSeconds'), peers: number(clock, 'peers') },
      version: textField(fields, 'version'),
    }
  })
}

/** How a node is. */
export const statusCommand = defineCommand({
  command: 'status',
  describe: 'The state of a running node',
  options: nodeOptions,
  run: async (args, output) => {
    const status = await readStatus(clientOf(args))
    const { head, final, mining, syncing, pool } = status
    output.data(status, () =>
      table([
        ['network', `${status.network}, chain id ${status.chainId}, genesis ${status.genesisId}`],
        ['head', `height ${head.height}, ${head.id}, ${timeText(head.time)}`],
        ['state root', head.stateRoot],
        [
          'final',
          final === null
            ? `nothing yet (${status.finality})`
            : `height ${final.height}, ${final.id} (${status.finality})`,
        ],
        ['finality lag', describeLag(status)],
        ...(status.halted === null ? [] : [['FINALITY HAS STOPPED', status.halted] as const]),
        ...(status.muted === null ? [] : [['DOES NOT VOTE', status.muted] as const]),
        ...(status.checkpoint === null
          ? []
          : [['checkpoint', describeCheckpoint(status.checkpoint)] as const]),
        ['peers', String(status.peers)],
        ['pool', `${pool.pending} pending, ${pool.queued} behind a gap`],
        [
          'mining',
          !status.isMined
            ? 'not in this network: its validators make the blocks'
            : mining === null
              ? 'no'
              : `for ${mining.beneficiary}, ${(mining.hashrate / 1e6).toFixed(2)} MH/s`,
        ],
        ['catching up', syncing === null ? 'no' : `${syncing.height} of ${syncing.target}`],
        ...(status.clock === null ? [] : [['CLOCK LOOKS WRONG', describeClockDoubt(status.clock)] as const]),
        ['version', status.version],
      ]),
    )
    return EXIT.done
  },
})

/** How far a clock seems to be off, and how many peers say so. */
export function describeClockDoubt({ behindSeconds, peers }: NonNullable<NodeStatus['clock']>): string {
  const of = peers === 1 ? 'one peer follows' : `${peers} peers follow`
  return `${behindSeconds} s behind at least: ${of} blocks that are too new for it`
}

function describeCheckpoint({ height, id, isReached }: NonNullable<NodeStatus['checkpoint']>): string {
  return `height ${height}, ${id}${isReached ? '' : ': not reached yet, nothing is mined until then'}`
}

function describeLag({ lag, finality }: NodeStatus): string {
  const hint = modeNamed(finality)?.hasValidators === false ? '' : '; more with quorate doctor'
  return `${lag} ${lag === 1 ? 'block' : 'blocks'}${hint}`
}

function readFlag(value: Json): boolean | null {
  return typeof value === 'boolean' ? value : null
}

/** The peers of a node. */
export const peersCommand = defineCommand({
  command: 'peers',
  describe: 'The peers that a running node is connected to',
  options: nodeOptions,
  run: async (args, output) => {
    const peers = await askList(clientOf(args), 'quorate_peers', fields => ({
      id: textField(fields, 'id'),
      address: textField(fields, 'address'),
      direction: textField(fields, 'direction'),
    }))
    output.data(peers, () =>
      peers.length === 0
        ? 'no peers; connect a node with: quorate node --peer MULTIADDRESS'
        : columns([
            ['id', 'address', 'direction'],
            ...peers.map(({ id, address, direction }) => [id, address, direction]),
          ]),
    )
    return EXIT.done
  },
})

/** The ends of all branches that a node knows. */
export const tipsCommand = defineCommand({
  command: 'tips',
  describe: 'The ends of all branches that a node knows',
  options: nodeOptions,
  run: async (args, output) => {
    const tips = await askList(clientOf(args), 'quorate_tips', fields => ({
      id: hashField(fields, 'id'),
      height: quantityText(fields, 'height'),
      work: quantityText(fields, 'work'),
      branchLength: quantityText(fields, 'branchLength'),
      status: textField(fields, 'status'),
    }))
    output.data(tips, () =>
      columns([
        ['status', 'height', 'off the main chain', 'work', 'id'],
        ...tips.map(tip => [
          tip.status,
          String(Number(tip.height)),
          `${Number(tip.branchLength)} blocks`,
          String(BigInt(tip.work)),
          tip.id,
        ]),
      ]),
    )
    return EXIT.done
  },
})

/** What a node answers where it answers a list of objects. */
async function askList<T>(client: RpcClient, method: string, read: (fields: Fields) => T): Promise<T[]> {
  const answer = await client.call(method)
  return readAnswer(method, () => {
    if (!Array.isArray(answer)) throw new InvalidField('answer', 'expected a list')
    return answer.map((item: unknown, index) => read(new Fields(`answer[${index}]`, item)))
  })
}
