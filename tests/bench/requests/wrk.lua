-- Sends the requests of a file, one after the other, and checks every answer. Prints what wrk.rs reads.
--
-- Arguments: the file (a line for each request: API key, tab, body), what an answer has to hold, how often, and for requests that
-- must not be sent twice for how many seconds to send some. These end in order: what was sent is answered, so nothing is still
-- being done, or left half done, when the next server takes its turn.
local ffi = require "ffi"
ffi.cdef [[
  typedef struct { long seconds; long nanoseconds; } moment;
  int clock_gettime(int clock, moment *now);
  int getpid(void);
  int kill(int process, int signal);
]]
local MONOTONIC, INTERRUPT, FOR_EVER = 1, 2, 1e9
local moment = ffi.new("moment")

local function now()
  ffi.C.clock_gettime(MONOTONIC, moment)
  return tonumber(moment.seconds) + tonumber(moment.nanoseconds) / 1e9
end

local load = nil

function setup(thread)
  load = thread
end

-- Whether no more requests are sent.
local function is_over()
  return promised >= #requests or (began and now() - began >= seconds)
end

function init(args)
  mark, times, seconds = args[2], tonumber(args[3]), tonumber(args[4])
  requests, promised, sent, right, wrong, is_verified = {}, 0, 0, 0, 0, false
  for line in io.lines(args[1]) do
    local key, body = line:match("^(.-)\t(.*)$")
    local headers = { ["Content-Type"] = "application/json" }
    if key ~= "" then headers["Authorization"] = "Bearer " .. key end
    table.insert(requests, wrk.format("POST", nil, headers, body))
  end
  if seconds then
    -- Milliseconds that wrk waits before a request. Several connections may have asked before the first of them sends its own.
    function delay()
      if is_over() then return FOR_EVER end
      promised = promised + 1
      return 0
    end
  end
end

function request()
  -- The first time wrk only looks whether there is one.
  if not is_verified then
    is_verified = true
    return requests[1]
  end
  if not began then began = now() end
  sent = sent + 1
  return requests[(sent - 1) % #requests + 1]
end

local function count(body)
  local found, at = 0, 1
  while true do
    local first, last = body:find(mark, at, true)
    if not first then return found end
    found, at = found + 1, last + 1
  end
end

function response(status, headers, body)
  ended = now()
  if count(body) == times and (mark == "UNAUTHORIZED" or not body:find('"errors"', 1, true)) then
    right = right + 1
  else
    wrong = wrong + 1
    if wrong == 1 then sample = status .. " " .. body:sub(1, 2000):gsub("\n", " ") end
  end
  if seconds and right + wrong == promised and is_over() then
    wrk.thread:stop()
    -- wrk itself sleeps until then.
    ffi.C.kill(ffi.C.getpid(), INTERRUPT)
  end
end

function done(summary, latency)
  local errors = summary.errors
  print("right", load:get("right"))
  print("wrong", load:get("wrong"))
  print("failed", errors.connect + errors.read + errors.write + errors.timeout)
  -- Without an answer, no time has passed.
  print("seconds", (load:get("ended") or 0) - (load:get("ended") and load:get("began") or 0))
  print("p50", latency:percentile(50) / 1000)
  print("p99", latency:percentile(99) / 1000)
  print("sample", load:get("sample") or "")
end
