// Which back end a process or a thread uses: the fastest that this machine has. What is not chosen is not
// loaded, for libauth alone takes 100 ms.

import type { BackendName, RecoveryBackend } from './backend.ts'
import { loadNativeBackend } from './native-backend.ts'
import { nobleBackend } from './noble-backend.ts'

/** The fastest back end that there is on this machine: native, else WebAssembly. */
export async function chooseBackend(): Promise<RecoveryBackend> {
  return loadNativeBackend() ?? (await loadWasm())
}

/** The back end of this name, or null where there is no native build. */
export async function loadBackend(name: BackendName): Promise<RecoveryBackend | null> {
  switch (name) {
    case 'native':
      return loadNativeBackend()
    case 'wasm':
      return loadWasm()
    case 'noble':
      return nobleBackend
  }
}

async function loadWasm(): Promise<RecoveryBackend> {
  const { loadWasmBackend } = await import('./wasm-backend.ts')
  return loadWasmBackend()
}
