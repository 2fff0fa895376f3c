// The functions that are named as decoders are and are not fuzzed by themselves, each with the reason.

const PART = 'a part of decoders that are fuzzed: it has no input of its own'
const ANSWERS =
  'asks a node; what it takes from the answers it reads as fuzzed readers do (wallet/rpc-answer.ts)'
const OWN = 'takes what this program has made, not what comes from outside'
const OPTIONS = 'takes the options of a command line; what they are made of is fuzzed'

/** By file and name. */
export const EXEMPT: ReadonlyMap<string, string> = new Map([
  ['encoding/bytes.ts readOrNull', PART],
  ['consensus/wire-fields.ts readNumber', PART],
  ['consensus/wire-fields.ts readValue', PART],
  ['consensus/pbft/vote-fields.ts readVotePhase', PART],
  ['consensus/wire-fields.ts readMember', PART],
  ['consensus/wire-fields.ts readSignature', PART],
  ['consensus/pbft/vote-fields.ts readSuspects', PART],
  ['consensus/wire-fields.ts readList', PART],
  ['consensus/wire-fields.ts readFlag', PART],
  ['consensus/wire-fields.ts readType', PART],
  ['consensus/wire-fields.ts decodeWhole', PART],
  ['consensus/pbft/vote-fields.ts readVote', PART],
  ['consensus/pbft/view-change-wire.ts readViewChange', PART],
  ['consensus/pbft/view-change-wire.ts readNewView', PART],
  ['consensus/pbft/view-change-wire.ts readCertificateOrNull', PART],
  ['rpc/body.ts readBody', 'collects bytes of a request; what is in them is read by parseRequestText'],
  [
    'replica/start.ts loadTree',
    'reads records by readers that are fuzzed; test/replica/damage.test.ts damages each',
  ],
  ['node/data-folder.ts openDataFolder', 'opens a folder, and reads no bytes'],
  [
    'node/node-files.ts openNodeFiles',
    'opens files by functions that are fuzzed or damaged each by its own tests',
  ],
  ['cli/validator-option.ts readValidatorOptions', OPTIONS],
  ['cli/finality-option.ts readFinality', OPTIONS],
  ['cli/arguments.ts readArguments', OPTIONS],
  ['cli/link-option.ts readLinks', OPTIONS],
  ['cli/node-option.ts readAddress', OPTIONS],
  ['cli/node-run-options.ts readRunOptions', OPTIONS],
  ['cli/node-run-options.ts readOrigins', OPTIONS],
  ['cli/sim-settings.ts readSettings', OPTIONS],
  ['cli/sim-settings.ts readSeeds', OPTIONS],
  ['cli/status.ts readStatus', ANSWERS],
  ['cli/agreement.ts readAgreement', ANSWERS],
  ['lab/stage/live-answers.ts readCounters', ANSWERS],
  ['lab/stage/live-answers.ts readConvicted', 'a list of what readEvidenceReport reads, which is fuzzed'],
  ['signatures/wasm-backend.ts loadWasmBackend', OWN],
  ['signatures/native-backend.ts loadNativeBackend', OWN],
  ['signatures/choose-backend.ts loadBackend', OWN],
  ['lab/report/load.ts loadFigure', OWN],
])
