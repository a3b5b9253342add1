'use client'
import { useRouter } from 'next/navigation'
import { useEffect } from 'react'
import { useAllVms, useLiveData } from '../../data/hooks.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/all.ts'
import { useSignedIn } from '../shell/app-shell.tsx'
import { NotFound } from '../shell/not-found.tsx'
import { useVmPower } from '../vms/use-vm-power.ts'
import { ConsoleView } from './console-view.tsx'

/** A console and nothing else, for a browser tab of its own. */
export function ConsoleWindow({ id }: { id: number }) {
  const session = useSignedIn()
  return session?.user ? <Window id={id} /> : <Unlit />
}

function Window({ id }: { id: number }) {
  const router = useRouter()
  useLiveData(() => router.replace(paths.signIn({ next: paths.consoleWindow(id) })))
  const { vms } = useAllVms()
  const actions = useVmPower()
  const vm = vms?.find((each) => each.id === id)
  const name = vm?.name
  useEffect(() => {
    if (name) document.title = name
  }, [name])
  if (!vms) return <Unlit />
  if (!vm) return <NotFound title={m.vms.page.notFound.title} text={m.vms.page.notFound.text} />
  return (
    <main className="h-dvh">
      <h1 className="sr-only">{m.console.title(vm.name)}</h1>
      <ConsoleView vm={vm} actions={actions} ownTab />
    </main>
  )
}

/** A screen that is not lit yet: the terminal comes in its place, without a jump and without a flash. */
function Unlit() {
  return (
    <div role="status" aria-label={m.common.loading} className="h-dvh bg-[light-dark(#fdfbf9,#120f0d)]" />
  )
}
