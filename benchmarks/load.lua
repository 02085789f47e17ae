-- One request after another from a list, as fast as the server answers.
-- Arguments: method, file with a path a line, file with the body or "-", then names and values of headers.

local requests, sent = {}, 0

function init(args)
  local headers, body = {}, nil
  for place = 4, #args, 2 do headers[args[place]] = args[place + 1] end
  if args[3] ~= "-" then
    local file = assert(io.open(args[3], "rb"))
    body = file:read("*a")
    file:close()
  end
  for path in io.lines(args[2]) do
    requests[#requests + 1] = wrk.format(args[1], path, headers, body)
  end
end

function request()
  sent = sent % #requests + 1
  return requests[sent]
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format("FIGURES requests=%d us=%d p50_us=%d p99_us=%d refused=%d broken=%d\n",
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
