/**
 * Reads times as C's asctime writes them (C23, 7.29.3.1), as UTC: `Sat Nov 21 02:52:22 2026`, `Sun
 * Nov  1 00:00:00 2026`.
 *
 * **Gotchas**
 *
 * - The day of the week must be one, but need not be that of the date: it carries no part of the
 *   time.
 * - No 60th second: the time that hosts count has none.
 */

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

const pattern = new RegExp(
  `^(?:Sun|Mon|Tue|Wed|Thu|Fri|Sat) (${months.join("|")}) ( ?\\d|\\d\\d) ` +
    "([01]\\d|2[0-3]):([0-5]\\d):([0-5]\\d) ([1-9]\\d{3})$"
)

/**
 * Milliseconds since the epoch, or undefined where the text is no such time or its date is not in
 * the calendar.
 */
export const parseAsctime = (text: string): number | undefined => {
  const parts = pattern.exec(text)
  if (parts === null) return undefined
  const [, month = "", day, hour, minute, second, year] = parts
  const date = Number(day)
  const time = Date.UTC(Number(year), months.indexOf(month), date, Number(hour), Number(minute), Number(second))
  // A day past the end of its month rolls over into the next one, and day 0 back into the last.
  return new Date(time).getUTCDate() === date ? time : undefined
}
