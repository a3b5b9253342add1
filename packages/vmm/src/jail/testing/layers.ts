/**
 * For tests: one part of the jail by itself, without the system call filter that hides it otherwise. Prints how opening
 * a file, making one and looking at the root end, as JSON.
 */
import { mkdirSync, openSync, readdirSync } from 'node:fs'
import { createRuleset, restrictThread } from '../landlock.ts'
import { emptyRoot } from '../namespaces.ts'
import { becomeUser, dropCapabilities, forbidNewPrivileges } from '../privileges.ts'

const parts: Record<string, () => void> = {
  root: emptyRoot,
  user: () => becomeUser(1_879_048_192, 1_879_048_192),
  capabilities: dropCapabilities,
  landlock: () => {
    forbidNewPrivileges()
    const ruleset = createRuleset()
    if (ruleset === undefined) process.exit(77)
    restrictThread(ruleset)
  },
}

const attempt = (work: () => unknown): unknown => {
  try {
    return work()
  } catch (error) {
    return (error as NodeJS.ErrnoException).code
  }
}

for (const part of process.argv[2]!.split(',')) parts[part]!()
process.stdout.write(
  JSON.stringify({
    // Of root alone to read.
    open: attempt(() => openSync('/etc/shadow', 'r') > 0),
    make: attempt(() => mkdirSync(`/jail-test-${process.pid}`)),
    list: attempt(() => readdirSync('/').length),
  }),
)
