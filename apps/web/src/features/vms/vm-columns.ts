import { stored } from '../../lib/stored.ts'
import { type Column, columns, firstColumns } from './list-view.ts'

/** Which columns the list has on this device. The name is always there. */
export const shownColumns = stored<readonly Column[]>(
  'hearth.vm-columns',
  (value) =>
    Array.isArray(value) ? columns.filter((each) => each === 'name' || value.includes(each)) : undefined,
  firstColumns,
)
