import type { NextConfig } from 'next'

const config: NextConfig = {
  // The contracts are TypeScript sources of this workspace; Next compiles them like our own pages.
  transpilePackages: ['@hearth/shared'],
  reactStrictMode: true,
  poweredByHeader: false,
  // Types are checked by `npm test`; starting a box must not take that time again.
  typescript: { ignoreBuildErrors: true },
}

export default config
