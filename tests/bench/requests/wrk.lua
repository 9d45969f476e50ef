-- Sends the requests of a file, one after the other, and checks every answer.
--
-- Arguments: the file (a line for each request: API key, tab, body), what an answer has to hold, how often, and "once" where
-- no request may be sent twice. Prints what the benchmark reads, see wrk.rs.
local ffi = require "ffi"
ffi.cdef [[
  typedef struct { long seconds; long nanoseconds; } moment;
  int clock_gettime(int clock, moment *now);
]]
local MONOTONIC = 1
local moment = ffi.new("moment")

local function now()
  ffi.C.clock_gettime(MONOTONIC, moment)
  return tonumber(moment.seconds) + tonumber(moment.nanoseconds) / 1e9
end

local load = nil

function setup(thread)
  load = thread
end

function init(args)
  mark, times, once = args[2], tonumber(args[3]), args[4] == "once"
  requests, sent, right, wrong = {}, 0, 0, 0
  for line in io.lines(args[1]) do
    local key, body = line:match("^(.-)\t(.*)$")
    local headers = { ["Content-Type"] = "application/json" }
    if key ~= "" then headers["Authorization"] = "Bearer " .. key end
    table.insert(requests, wrk.format("POST", nil, headers, body))
  end
end

function request()
  if sent == 0 then began = now() end
  if once and sent == #requests then
    -- The last ones are under way. wrk wants something to send; it does not wait for the answer.
    wrk.thread:stop()
    return wrk.format("GET")
  end
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
end

function done(summary, latency)
  local errors = summary.errors
  print("right", load:get("right"))
  print("wrong", load:get("wrong"))
  print("failed", errors.connect + errors.read + errors.write + errors.timeout)
  print("seconds", load:get("ended") - load:get("began"))
  print("p50", latency:percentile(50) / 1000)
  print("p99", latency:percentile(99) / 1000)
  print("sample", load:get("sample") or "")
end
