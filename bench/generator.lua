-- Sends the requests of a file, one after the other, and checks the status of each answer.
-- Arguments: the status, the file (the length of each request on a line of its own before it).
local requests, next_one = {}, 0
local expected
wrong, example = 0, ""

function setup(thread)
	threads = threads or {}
	table.insert(threads, thread)
end

function init(args)
	expected = tonumber(args[1])
	local file = assert(io.open(args[2], "rb"))
	for length in file:lines() do
		requests[#requests + 1] = file:read(tonumber(length))
	end
	file:close()
end

function request()
	next_one = next_one % #requests + 1
	return requests[next_one]
end

function response(status, _, body)
	if status ~= expected then
		wrong = wrong + 1
		example = status .. " " .. body:sub(1, 200)
	end
end

function done(summary, latency)
	local wrong, example = 0, ""
	for _, thread in ipairs(threads) do
		wrong = wrong + thread:get("wrong")
		if thread:get("wrong") > 0 then example = thread:get("example") end
	end
	local e = summary.errors
	io.write(string.format(
		'\n{"micros":%d,"requests":%d,"wrong":%d,"broken":%d,"p50":%d,"p90":%d,"p99":%d,"example":"%s"}\n',
		summary.duration, summary.requests, wrong, e.connect + e.read + e.write + e.timeout,
		latency:percentile(50), latency:percentile(90), latency:percentile(99),
		(example:gsub('[%c"\\]', "'"))))
end
