lm-cat --build-info | jq -c '[.tool, .build.stream_version, (.limits.cpus >= 1), (.limits.memory_bytes > 0)]'
