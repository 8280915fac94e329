#!/usr/bin/env node
import '../base/shim.ts'
import { run } from './run.ts'

await run()
