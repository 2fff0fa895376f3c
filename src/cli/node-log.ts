// What a running node reports: a table when it is ready, and in its log new heads, final blocks and whether it votes.
// Alarms and the doings of peers are logged by src/node itself.

import process from 'node:process'
import type { Logger } from 'pino'
import { guarded } from '../defence/guarded.ts'
import type { AgreementReport } from '../finality/contract.ts'
import type { Node } from '../node/node.ts'
import { type Output, table } from './output.ts'
import { createProgress, type Progress } from './progress.ts'
import type { ChosenValidator } from './validator-option.ts'

/** Prints where the node can be reached, once it can be. */
export function printReady(
  node: Node,
  started: { rpc: string; data: string; beneficiary: string | null; chosen: ChosenValidator | null },
  output: Output,
): void {
  const { rpc, data, beneficiary, chosen } = started
  const { name, blocks, finality, work } = node.replica.genesis
  const peers = node.multiaddrs()
  const mode = [finality.mode, finality.pattern].filter(word => word !== undefined).join(', ')
  const validator = chosen?.validator.name ?? null
  output.data({ ready: true, network: name, rpc, peers, data, validator, pid: process.pid }, () =>
    table([
      ['network', `${name} (chain id ${blocks.chainId}, ${mode})`],
      ...(chosen === null ? [] : [['validator', describeValidator(node, chosen)] as const]),
      ['rpc', rpc],
      ...peers.map((address): [string, string] => ['peer address', address]),
      ['data', data],
      work.isProved
        ? ['mining', beneficiary ?? 'no']
        : ['rewards', beneficiary ?? (chosen === null ? 'no' : 'to the address of the validator')],
    ]),
  )
}

function describeValidator(node: Node, { validator, byzantine }: ChosenValidator): string {
  const { name, address } = validator
  const report = node.finalityReport()
  const place = report === null ? '' : ` of ${report.validators.length}, ${report.quorum} decide`
  const lie = byzantine === null ? '' : `; faulty on purpose: ${byzantine}`
  return `${name} (${address})${place}${lie}${describeVoting(report)}`
}

function describeVoting(report: AgreementReport | null): string {
  if (report === null || report.muted === null) return ''
  return report.self === null
    ? '; IT DOES NOT VOTE, see the log'
    : '; it votes once the others have told it of its own votes'
}

/** Logs when a validator begins to vote, and what it waits for until then. */
export function logVoting(node: Node, log: Logger): void {
  let isAsking = false
  let looks = 0
  const look = (): void => {
    const report = node.finalityReport()
    if (report === null) return
    const wasAsking = isAsking
    isAsking = report.self !== null && report.muted !== null
    if (isAsking && !wasAsking) log.info(`this validator does not vote yet: ${report.muted}`)
    if (wasAsking && report.muted === null) log.info('this validator votes now')
    looks = isAsking ? looks + 1 : 0
    if (looks % WAIT_LOOKS !== WAIT_LOOKS - 1) return
    const missing = report.validators.filter(({ isLinked }) => !isLinked).map(({ name }) => name)
    const reach = `not connected: ${missing.length === 0 ? 'none' : missing.join(', ')}`
    log.warn(`this validator still asks for its own votes; it takes ${report.quorum - 1} others; ${reach}`)
  }
  look()
  setInterval(guarded(log, 'looking at the votes', look), LOOK_MS).unref()
}

/** Milliseconds between two checks whether a validator votes, and checks between two warnings that it does not. */
const LOOK_MS = 500
const WAIT_LOOKS = 20

/** Logs new heads and final blocks; while the node catches up, a bar on the terminal replaces the lines. */
export function logHeads(node: Node, log: Logger): void {
  let bar: Progress | null = null
  node.onHead(({ height, id, reorganised }) => {
    const behind = node.syncProgress()
    if (behind !== null) {
      // The log may be lines of JSON, or of a level that leaves this out.
      bar ??= createProgress('catching up', behind.target, { say: line => log.info(line) })
      return bar.update(height, 'blocks', behind.target)
    }
    bar?.end()
    bar = null
    if (reorganised === 0) log.info({ height, id }, 'new head')
    else log.warn({ height, id, reorganised }, 'the head moved to another branch')
  })
  const isNews = node.finalityReport() !== null && node.replica.finality.followsWork
  node.onFinal(({ height, id }) => log[isNews ? 'info' : 'debug']({ height, id }, 'final'))
}
