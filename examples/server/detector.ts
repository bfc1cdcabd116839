/**
 * A small detector, which stands for your own: Tracehound detects nothing. Put your WAF, your rules
 * or your model here.
 */
import type { ThreatSignal } from "tracehound"

interface Rule {
  readonly pattern: RegExp
  readonly signal: ThreatSignal
}

const rules: ReadonlyArray<Rule> = [
  {
    pattern: /\bunion\b.{0,40}\bselect\b|'\s*or\s+\d+\s*=\s*\d+/i,
    signal: { category: "injection", severity: "critical" }
  },
  { pattern: /<script\b|\bon\w{1,20}\s*=\s*["']/i, signal: { category: "injection", severity: "high" } },
  { pattern: /(?:\.\.[/\\]){2,}/, signal: { category: "injection", severity: "medium" } },
  { pattern: /\bviagra\b/i, signal: { category: "spam", severity: "low" } }
]

/** The signal of the first rule that matches, or undefined where none does. */
export const detect = (text: string): ThreatSignal | undefined =>
  rules.find(({ pattern }) => pattern.test(text))?.signal
