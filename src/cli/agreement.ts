// What a node knows of its validators, read from `quorate_finalityReport` as anything from outside is: field by field,
// and text without what a terminal would obey.

import type { Fields, Json } from '../encoding/fields.ts'
import type { AgreementReport, ValidatorReport } from '../finality/contract.ts'
import { readEvidenceReport } from '../finality/evidence.ts'
import { listField, objectsField, printable, readObject } from '../wallet/rpc-answer.ts'
import type { RpcClient } from '../wallet/rpc-client.ts'

/** The state of an agreement, and of the chain. */
export interface Agreement extends AgreementReport {
  readonly mode: string
  /** Whether blocks are mined, and validators only make them final. */
  readonly isMined: boolean
  /** Heights of the head and of the last final block, and how many blocks lie between them. */
  readonly head: number
  readonly final: number
  readonly lag: number
  /** How far ahead of a node's clock a block may be. */
  readonly futureLimitMs: number
  readonly lastCertificate: {
    readonly sequence: number
    readonly view: number
    readonly height: number
    readonly id: string
    readonly signers: readonly string[]
  } | null
}

const METHOD = 'quorate_finalityReport'

/** Asks a node how its validators are. Throws what `RpcClient.call` throws. */
export async function readAgreement(client: RpcClient): Promise<Agreement> {
  return readObject(METHOD, await client.call(METHOD), readReport)
}

function readReport(fields: Fields): Agreement {
  const validators = objectsField(fields, 'validators', readValidator)
  const member: Take<number> = (of, name) => of.integer(name, { min: 0, max: validators.length - 1 })
  return {
    mode: fields.text('mode'),
    isMined: flag(fields, 'isMined'),
    pattern: fields.text('pattern'),
    quorum: count(fields, 'quorum'),
    faultsTolerated: count(fields, 'faultsTolerated'),
    self: orNull(fields, 'self', member),
    view: count(fields, 'view'),
    isActive: flag(fields, 'isActive'),
    muted: orNull(fields, 'muted', text),
    halted: orNull(fields, 'halted', text),
    sequence: count(fields, 'sequence'),
    timeoutMs: number(fields, 'timeoutMs'),
    isWaiting: flag(fields, 'isWaiting'),
    sinceDecisionMs: orNull(fields, 'sinceDecisionMs', number),
    proposer: orNull(fields, 'proposer', member),
    phases: listField(fields, 'phases', readText),
    validators,
    evidence: listField(fields, 'evidence', readEvidenceReport),
    head: count(fields, 'head'),
    final: count(fields, 'final'),
    lag: count(fields, 'lag'),
    futureLimitMs: number(fields, 'futureLimitMs'),
    lastCertificate: orNull(fields, 'lastCertificate', (of, name) => readCertificate(of.object(name))),
  }
}

function readValidator(fields: Fields): ValidatorReport {
  return {
    name: text(fields, 'name'),
    address: text(fields, 'address') as ValidatorReport['address'],
    isLinked: flag(fields, 'isLinked'),
    votedIn: listField(fields, 'votedIn', readText),
    wantsViewChange: flag(fields, 'wantsViewChange'),
    status: orNull(fields, 'status', (of, name) => readWord(of.object(name))),
  }
}

function readWord(fields: Fields): NonNullable<ValidatorReport['status']> {
  return {
    view: count(fields, 'view'),
    isActive: flag(fields, 'isActive'),
    votes: flag(fields, 'votes'),
    sequence: count(fields, 'sequence'),
    timeoutMs: number(fields, 'timeoutMs'),
    clockAheadMs: number(fields, 'clockAheadMs'),
    ageMs: number(fields, 'ageMs'),
  }
}

function readCertificate(fields: Fields): NonNullable<Agreement['lastCertificate']> {
  return {
    sequence: count(fields, 'sequence'),
    view: count(fields, 'view'),
    height: count(fields, 'height'),
    id: text(fields, 'id'),
    signers: listField(fields, 'signers', readText),
  }
}

type Take<T> = (fields: Fields, name: string) => T

function orNull<T>(fields: Fields, name: string, take: Take<T>): T | null {
  return fields.isNull(name) ? null : take(fields, name)
}

const count: Take<number> = (fields, name) => fields.integer(name, { min: 0, max: Number.MAX_SAFE_INTEGER })

const number: Take<number> = (fields, name) =>
  fields.number(name, { min: -Number.MAX_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER })

const flag: Take<boolean> = (fields, name) =>
  fields.parse(name, 'true or false', value => (typeof value === 'boolean' ? value : null))

const text: Take<string> = (fields, name) => fields.parse(name, 'a text', readText)

function readText(value: Json): string | null {
  return typeof value === 'string' ? printable(value) : null
}
