import { GeistMono } from 'geist/font/mono'
import { GeistSans } from 'geist/font/sans'
import type { Metadata, Viewport } from 'next'
import type { ReactNode } from 'react'
import { m } from '../messages/index.ts'
import './globals.css'
import { Providers } from './providers.tsx'

export const metadata: Metadata = {
  title: { default: m.common.product, template: `%s · ${m.common.product}` },
  description: m.entry.signIn.tagline,
  icons: { icon: { url: '/icon.svg', type: 'image/svg+xml' } },
  robots: { index: false, follow: false },
}

export const viewport: Viewport = {
  width: 'device-width',
  initialScale: 1,
  viewportFit: 'cover',
  colorScheme: 'light dark',
  themeColor: [
    { media: '(prefers-color-scheme: light)', color: '#f9f8f6' },
    { media: '(prefers-color-scheme: dark)', color: '#110e0d' },
  ],
}

export default function RootLayout({ children }: { children: ReactNode }) {
  return (
    // The theme script adds data-theme before React sees the element.
    <html lang="en" className={`${GeistSans.variable} ${GeistMono.variable}`} suppressHydrationWarning>
      <head>
        {/* Synchronous on purpose: it must run before the first paint. */}
        <script src="/theme.js" />
      </head>
      <body>
        <Providers>{children}</Providers>
      </body>
    </html>
  )
}
