'use client'
import { Tabs } from '@base-ui/react/tabs'
import { Download } from 'lucide-react'
import { useState, useSyncExternalStore } from 'react'
import { useSession } from '../../data/hooks.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/all.ts'
import { buttonClass } from '../../ui/button-class.ts'
import { TextLink } from '../shell/text-link.tsx'
import { EntryCard } from './entry-card.tsx'

const t = m.trust

function guessDevice(): string {
  const agent = navigator.userAgent
  if (/iPhone|iPad/.test(agent) || (/Mac/.test(agent) && navigator.maxTouchPoints > 1)) return 'ios'
  if (/Android/.test(agent)) return 'android'
  if (/Firefox/.test(agent)) return 'firefox'
  if (/Windows/.test(agent)) return 'windows'
  return /Mac/.test(agent) ? 'macos' : 'linux'
}

export function Trust() {
  const guessed = useSyncExternalStore(
    () => () => {},
    guessDevice,
    () => 'windows',
  )
  const [chosen, setChosen] = useState<string | null>(null)
  const { session } = useSession()
  if (session && !session.tls) return <EntryCard title={t.title} intro={t.notNeeded} wide />
  return (
    <EntryCard title={t.title} intro={t.intro} wide>
      <a href={paths.caCertificate()} download="hearth-ca.crt" className={buttonClass('primary', 'lg')}>
        <Download aria-hidden="true" />
        {t.download}
      </a>
      <Tabs.Root
        value={chosen ?? guessed}
        onValueChange={(value: string) => setChosen(value)}
        className="mt-6"
      >
        <Tabs.List aria-label={t.device} className="flex flex-wrap gap-1.5">
          {t.devices.map((device) => (
            <Tabs.Tab
              key={device.id}
              value={device.id}
              className="rounded-full border border-line-strong px-3 py-1 text-13 text-ink-2 transition-colors hover:text-ink data-active:border-ember-line data-active:bg-ember-soft data-active:font-medium data-active:text-ember"
            >
              {device.name}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {t.devices.map((device) => (
          <Tabs.Panel key={device.id} value={device.id} className="mt-5">
            <ol className="flex flex-col gap-3">
              {device.steps.map((step, index) => (
                <li key={step} className="flex gap-3">
                  <span
                    aria-hidden="true"
                    className="tnum mt-px flex size-5.5 shrink-0 items-center justify-center rounded-full bg-raised font-medium text-ink-2 text-xs"
                  >
                    {index + 1}
                  </span>
                  <span className="min-w-0 break-words">{step}</span>
                </li>
              ))}
            </ol>
          </Tabs.Panel>
        ))}
      </Tabs.Root>
      <p className="mt-6 border-line border-t pt-4 text-13 text-ink-2">
        {t.afterwards} <TextLink href={paths.signIn()}>{t.check}</TextLink>
      </p>
    </EntryCard>
  )
}
