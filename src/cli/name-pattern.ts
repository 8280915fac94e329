/** Patterns of names: `*` stands for any text, `?` for one character. In time that grows with pattern times name. */
export function nameMatcher(pattern: string): (name: string) => boolean {
  const wanted = Array.from(pattern)
  return (name) => {
    const given = Array.from(name)
    let [at, from] = [0, 0]
    /** Where the last star stands, and how far it reaches. */
    let star = -1
    let reach = 0
    while (at < given.length) {
      if (wanted[from] === '*') {
        star = from++
        reach = at
      } else if (from < wanted.length && (wanted[from] === '?' || wanted[from] === given[at])) {
        at++
        from++
      } else if (star >= 0) {
        from = star + 1
        at = ++reach
      } else return false
    }
    return wanted.slice(from).every((each) => each === '*')
  }
}
