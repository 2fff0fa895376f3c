// Completes package-lock.json after `npm install`. A registry mirror may lack a tool's builds for other platforms;
// npm then leaves them out of the lock and the next `npm ci` refuses it ("Missing: … from lock file"), on every
// machine, also on those that never wanted these builds. The entries added here name version and platform, which
// is all npm needs to pass them over; where one fits the machine, npm fetches it as it would any other.
//
//   bin/node24 .ci/complete-lock.ts            writes package-lock.json
//   bin/node24 .ci/complete-lock.ts --check    only says what is missing, and exits 1 if anything is

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

type Entry = {
  readonly version?: string
  readonly dev?: boolean
  readonly optional?: boolean
  readonly cpu?: readonly string[]
  readonly os?: readonly string[]
  readonly libc?: readonly string[]
  readonly optionalDependencies?: Readonly<Record<string, string>>
}
type Packages = Readonly<Record<string, Entry>>

/** The lock's path of `name` as seen from the package at `from`, by Node's walk up the folders, or null. */
const resolve = (packages: Packages, from: string, name: string): string | null => {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('node_modules/') - 1))) {
    const path = `${at}${at === '' ? '' : '/'}node_modules/${name}`
    if (path in packages) return path
    if (at === '') return null
  }
}

/** What a build is for, read from its name: `cli-linux-x64-musl`, `binding-linux-arm-gnueabihf`. */
const platform = (name: string): Pick<Entry, 'cpu' | 'os' | 'libc'> => {
  const words = name.split(/[/-]/)
  const os = words.find(word => /^(aix|android|darwin|freebsd|linux|openharmony|win32)$/.test(word))
  const cpu = words.find(word => /^(arm|arm64|ia32|ppc64|riscv64|s390x|x64|wasm32)$/.test(word))
  const libc = words.some(word => /^musl/.test(word))
    ? 'musl'
    : words.some(word => /^gnu/.test(word))
      ? 'glibc'
      : null
  if (os === undefined || cpu === undefined)
    throw new Error(`no platform in the name '${name}': add it by hand`)
  return { cpu: [cpu], ...(libc === null ? {} : { libc: [libc] }), os: [os] }
}

/** The entries, by their path in the lock, that its packages' optional dependencies lack. */
export const missingEntries = (packages: Packages): Map<string, Entry> => {
  const missing = new Map<string, Entry>()
  for (const [from, { optionalDependencies, dev }] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(optionalDependencies ?? {})) {
      if (resolve(packages, from, name) !== null) continue
      if (!/^\d+\.\d+\.\d+$/.test(version))
        throw new Error(`${from} wants ${name}@${version}: add it by hand`)
      const { cpu, libc, os } = platform(name)
      const entry = { version, cpu, ...(dev ? { dev } : {}), ...(libc ? { libc } : {}), optional: true, os }
      missing.set(`node_modules/${name}`, entry as Entry)
    }
  }
  return missing
}

const complete = (file: string, checkOnly: boolean): void => {
  const lock = JSON.parse(readFileSync(file, 'utf8')) as { packages: Packages }
  const missing = missingEntries(lock.packages)
  for (const path of missing.keys()) console.log(`missing: ${path}`)
  if (missing.size === 0) return
  if (checkOnly) {
    process.exitCode = 1
    return
  }
  // npm's own order of entries, so that a later `npm install` moves no line.
  const entries = [...Object.entries(lock.packages), ...missing].sort(([a], [b]) => a.localeCompare(b, 'en'))
  writeFileSync(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries(entries) }, null, 2)}\n`)
}

if (import.meta.main)
  complete(join(import.meta.dirname, '..', 'package-lock.json'), process.argv.includes('--check'))
