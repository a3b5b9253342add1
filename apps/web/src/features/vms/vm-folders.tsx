'use client'
import type { VmFolder } from '@hearth/shared/shared-folders'
import { useMutation } from '@tanstack/react-query'
import { useHosts, useSession } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { intentKey } from '../../lib/key.ts'
import { m } from '../../messages/all.ts'
import { Select } from '../../ui/field.tsx'
import { Card } from '../../ui/layout.tsx'
import { toast } from '../../ui/toast.tsx'
import { tellRefusal } from '../shell/tell-refusal.ts'
import { SettingRow } from './setting-row.tsx'
import { useVmCache } from './use-vm-cache.ts'
import { useVmPage } from './vm-context.ts'

const t = m.vmSettings.folders

type Right = keyof typeof t.rights

/** Which folders of its host it has: given by administrators, out of those the host offers. */
export function VmFolders() {
  const { vm } = useVmPage()
  const { hosts } = useHosts()
  const isAdmin = useSession().session?.user?.role === 'admin'
  const { keep } = useVmCache()
  const trpc = useTRPC()
  const share = useMutation(
    trpc.vm.share.mutationOptions({
      onSuccess: (now) => {
        keep(now)
        toast.success(t.saved)
      },
      onError: tellRefusal,
    }),
  )
  const offered = hosts?.find(({ id }) => id === vm.host.id)?.info?.folders ?? []
  const has = share.isPending ? share.variables.folders : vm.folders
  const names = [...new Set([...offered, ...has].map(({ name }) => name))].sort()
  // Whoever cannot change it need not read of what is not there.
  if (names.length === 0 && !isAdmin) return null
  const give = (name: string, right: Right): void => {
    const others = has.filter((folder) => folder.name !== name)
    const wanted: VmFolder[] = right === 'none' ? [] : [{ name, writable: right === 'write' }]
    share.mutate({ id: vm.id, folders: [...others, ...wanted], idempotencyKey: intentKey() })
  }
  const why = isAdmin ? vm.can.update.why : t.adminsOnly
  return (
    <Card title={t.title}>
      {names.length === 0 ? <p className="text-13 text-ink-2">{t.none}</p> : null}
      <div className="divide-y divide-line">
        {names.map((name) => {
          const offer = offered.find((folder) => folder.name === name)
          const folder = has.find((one) => one.name === name)
          const right: Right = folder === undefined ? 'none' : folder.writable ? 'write' : 'read'
          const rights = (['none', 'read', 'write'] as const).filter(
            (each) => each === right || each === 'none' || (offer && (each === 'read' || offer.writable)),
          )
          return (
            <SettingRow
              key={name}
              title={name}
              hint={
                why ??
                (offer ? (
                  <>
                    {t.hint}{' '}
                    <code className="block font-mono [overflow-wrap:anywhere]">
                      mount -t virtiofs {name} /mnt
                    </code>
                  </>
                ) : (
                  t.gone
                ))
              }
              control={
                <Select
                  aria-label={t.label(name)}
                  className="w-40 shrink-0"
                  disabled={why !== null || share.isPending}
                  value={right}
                  onChange={(event) =>
                    give(name, rights.find((each) => each === event.target.value) ?? 'none')
                  }
                >
                  {rights.map((each) => (
                    <option key={each} value={each}>
                      {t.rights[each]}
                    </option>
                  ))}
                </Select>
              }
            />
          )
        })}
      </div>
    </Card>
  )
}
