-- Sends the requests of a file, one after the other and again from the start, and prints what came
-- of it as JSON. Arguments: the file, and the API key. A line: method, path and body, tab-separated.


function init(args)
    requests = {}
    next_request = 0
    local headers = {
        ["x-api-key"] = args[2],
        ["rotor-api-version"] = "1.1.0",
        ["content-type"] = "application/json",
    }
    for line in io.lines(args[1]) do
        local method, path, body = line:match("^([^\t]*)\t([^\t]*)\t?(.*)$")
        if body == "" then body = nil end
        requests[#requests + 1] = wrk.format(method, path, headers, body)
    end
end

function request()
    next_request = next_request % #requests + 1
    return requests[next_request]
end

function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        '{"requests":%d,"microseconds":%d,"refused":%d,"broken":%d,"p50":%d,"p99":%d}\n',
        summary.requests, summary.duration, errors.status,
        errors.connect + errors.read + errors.write + errors.timeout,
        latency:percentile(50), latency:percentile(99)
    ))
end
