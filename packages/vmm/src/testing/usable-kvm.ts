/** Whether this process may use /dev/kvm, whatever stands behind it: for tests of tiny guests, which any KVM runs. */
import { accessSync, constants } from 'node:fs'

export const usableKvm: boolean = (() => {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK)
    return true
  } catch {
    return false
  }
})()
