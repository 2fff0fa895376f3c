// `quorate evidence`: proofs that a validator equivocated, which need no trusted source: its own signatures convict it,
// under two votes that contradict each other, or under a vote and a view change that omits it.

import { InvalidField } from '../encoding/fields.ts'
import { lieOf, readEvidenceReport, verifyEvidence } from '../finality/evidence.ts'
import { describeLie, type EvidenceReport } from '../finality/evidence-report.ts'
import { readAnswer } from '../wallet/rpc-answer.ts'
import type { RpcClient } from '../wallet/rpc-client.ts'
import { defineCommand, defineGroup } from './command.ts'
import { CommandError, EXIT } from './exit-codes.ts'
import { writeJson } from './files.ts'
import { clientOf, nodeOptions, readCount } from './node-option.ts'
import { columns } from './output.ts'
import { runCheck, verifyArguments } from './verdict.ts'

const METHOD = 'quorate_getEvidence'

const listCommand = defineCommand({
  command: 'list',
  describe: 'List the evidence that a node has, numbered',
  options: nodeOptions,
  run: async (args, output) => {
    const evidence = await readEvidence(clientOf(args))
    output.data(evidence, () =>
      evidence.length === 0
        ? 'none: this node has seen no validator lie'
        : columns([
            ['number', 'validator', 'address', 'lie'],
            ...evidence.map((report, index) => {
              const { name, address } = report.validator
              return [String(index + 1), name, address, describeLie(lieOf(report))]
            }),
          ]),
    )
    return EXIT.done
  },
})

const exportCommand = defineCommand({
  command: 'export <number>',
  describe: 'Write a piece of evidence to a file, which can be checked without a node',
  positionals: {
    number: { type: 'number', demandOption: true, describe: 'Number in quorate evidence list' },
  },
  options: {
    ...nodeOptions,
    out: { type: 'string', demandOption: true, describe: 'File to write; it must not exist' },
  },
  examples: [
    ['quorate evidence export 1 --out lie.json', ''],
    ['quorate evidence verify lie.json --genesis genesis.json', ''],
  ],
  run: async (args, output) => {
    const all = await readEvidence(clientOf(args))
    if (all.length === 0) throw new CommandError(EXIT.no, 'this node has seen no validator lie')
    const evidence = all[readCount('<number>', args.number, { min: 1, max: all.length }) - 1]!
    await writeJson(args.out, evidence)
    const { validator } = evidence
    output.data(
      { file: args.out, validator },
      () => `${args.out}: ${validator.name} ${describeLie(lieOf(evidence))}`,
    )
    return EXIT.done
  },
})

const verifyCommand = defineCommand({
  command: 'verify <file>',
  describe: 'Check the evidence that a validator signed two contradicting statements',
  ...verifyArguments,
  run: async ({ file, genesis }, output) =>
    runCheck(
      {
        file,
        genesis,
        verify: verifyEvidence,
        rows: ({ type, validator, phase, sequence, view, leftFor }) => {
          const vote = `${phase} of sequence number ${sequence}, view ${view}`
          return [
            ['validator', `${validator.name} (${validator.address})`],
            type === 'contradiction'
              ? ['signed twice', vote]
              : ['left out', `${vote}, when it left for view ${leftFor}`],
          ]
        },
      },
      output,
    ),
})

/** The commands about evidence. */
export const evidenceCommand = defineGroup('evidence', 'Proofs that a validator lied', [
  listCommand,
  exportCommand,
  verifyCommand,
])

async function readEvidence(client: RpcClient): Promise<EvidenceReport[]> {
  const answer = await client.call(METHOD)
  return readAnswer(METHOD, () => {
    if (!Array.isArray(answer)) throw new InvalidField('answer', 'expected a list')
    return answer.map(readEvidenceReport)
  })
}
