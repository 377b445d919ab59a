lm-cat --build-info | jq -c '[.tool, .stream_version, (.limits.cpus >= 1), (.limits.memory_bytes > 0)]'
