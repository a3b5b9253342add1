import { GeistMono } from 'geist/font/mono'
import { GeistSans } from 'geist/font/sans'
import type { Metadata, Viewport } from 'next'
import { headers } from 'next/headers'
import type { ReactNode } from 'react'
import { m } from '../messages/index.ts'
import { currentLanguage } from '../messages/language.ts'
import './globals.css'
import { Providers } from './providers.tsx'

export const generateMetadata = (): Metadata => ({
  title: { default: m.common.product, template: `%s · ${m.common.product}` },
  description: m.entry.signIn.tagline,
  icons: { icon: { url: '/icon.svg', type: 'image/svg+xml' } },
  robots: { index: false, follow: false },
})

export const viewport: Viewport = {
  width: 'device-width',
  initialScale: 1,
  viewportFit: 'cover',
  // A console above a screen keyboard ends where the keyboard begins.
  interactiveWidget: 'resizes-content',
  colorScheme: 'light dark',
  themeColor: [
    { media: '(prefers-color-scheme: light)', color: '#f9f8f6' },
    { media: '(prefers-color-scheme: dark)', color: '#110e0d' },
  ],
}

/**
 * The server gives every page a Content-Security-Policy with a nonce of its own, so pages are rendered when asked
 * for: a page rendered at build time would carry none, and every script of it would be refused.
 */
export default async function RootLayout({ children }: { children: ReactNode }) {
  const policy = (await headers()).get('content-security-policy') ?? ''
  const nonce = /'nonce-([^']+)'/.exec(policy)?.[1]
  return (
    // The theme script adds data-theme before React sees the element.
    <html
      lang={currentLanguage()}
      className={`${GeistSans.variable} ${GeistMono.variable}`}
      suppressHydrationWarning
    >
      <head>
        {/* Synchronous on purpose: it must run before the first paint. */}
        <script src="/theme.js" nonce={nonce} />
      </head>
      <body>
        <Providers>{children}</Providers>
      </body>
    </html>
  )
}
