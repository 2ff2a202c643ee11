# One line per step with its elapsed time; what the step itself says goes to a log file.
# Source it, set `log`, then: step "What is done" command arguments...

mkdir -p "$(dirname "$log")"
: > "$log"

step() {
  local label=$1 start=$SECONDS last=$SECONDS
  shift
  echo "== $label: $*" >> "$log"
  local first
  first=$(($(wc -l < "$log") + 1))
  set -m # a process group of its own, so that an interrupt ends all that the step started
  "$@" >> "$log" 2>&1 < /dev/null &
  local pid=$!
  set +m
  trap 'kill -- -'"$pid"' 2> /dev/null; exit 130' INT TERM
  printf '  %s ...' "$label"
  while kill -0 "$pid" 2> /dev/null; do
    if [ -t 1 ]; then
      printf '\r  %s ... %ds' "$label" $((SECONDS - start))
    elif ((SECONDS - last >= 20)); then
      printf ' %ds' $((SECONDS - start))
      last=$SECONDS
    fi
    sleep 0.2
  done
  local status=0
  wait "$pid" || status=$?
  trap - INT TERM
  if [ -t 1 ]; then printf '\r  %s ...' "$label"; fi
  if ((status == 0)); then
    printf ' done in %ds\n' $((SECONDS - start))
    return 0
  fi
  printf ' failed after %ds\n' $((SECONDS - start))
  tail -n "+$first" "$log" | tail -n 25 | sed 's/^/    | /' >&2
  echo "The whole output is in $log" >&2
  return "$status"
}
