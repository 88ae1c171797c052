#!/bin/bash
# Coview on several machines of a SLURM cluster. Copy it, change the lines below, then:
#
#   sbatch --nodes=4 --gpus-per-node=2 slurm.sh /shared/study [further options of `run`]
#
# The same command again goes on where the last job ended. See docs/cluster.md.
#SBATCH --job-name=coview
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --gpus-per-node=1
#SBATCH --mem=64G
#SBATCH --time=24:00:00
#SBATCH --no-kill
#SBATCH --output=coview-%j.log
set -euo pipefail

study=${1:?usage: sbatch slurm.sh STUDY [options of run]}
shift

# The environment that Coview is installed in, in a folder that all machines see.
export PATH="${COVIEW_ENV:-$HOME/coview/.venv}/bin:$PATH"

# Nothing is reported to Ray's makers; whoever has not this job's token is refused.
export RAY_USAGE_STATS_ENABLED=0
export RAY_AUTH_MODE=token
RAY_AUTH_TOKEN=$(python -c 'import secrets; print(secrets.token_hex(32))')
export RAY_AUTH_TOKEN

# The first machine, which also runs this script, is the head. Set HEAD_IP where machines have
# several networks and the first address is not the one they reach each other by.
HEAD_IP=${HEAD_IP:-$(hostname --ip-address | awk '{print $1}')}
export HEAD_IP
export RAY_PORT=$((20000 + SLURM_JOB_ID % 10000))
export RAY_FOLDER="/tmp/coview-ray-$SLURM_JOB_ID"

# One Ray process on each machine, the same command on all. A machine that is lost costs the
# recordings it had in hand, which others do again.
# shellcheck disable=SC2016  # the variables are those of the machine that reads them
srun --no-kill --kill-on-bad-exit=0 --ntasks-per-node=1 bash -c '
  options=(--num-cpus="$SLURM_CPUS_PER_TASK" --object-store-memory=104857600 --block)
  if [ "$SLURM_NODEID" = 0 ]; then
    exec ray start --head --node-ip-address="$HEAD_IP" --port="$RAY_PORT" \
      --temp-dir="$RAY_FOLDER" --include-dashboard=false "${options[@]}"
  fi
  until (exec 3<>"/dev/tcp/$HEAD_IP/$RAY_PORT") 2>/dev/null; do sleep 2; done
  exec ray start --address="$HEAD_IP:$RAY_PORT" "${options[@]}"
' &
ray_step=$!
trap 'kill "$ray_step" 2>/dev/null || true; wait "$ray_step" 2>/dev/null || true' EXIT

until (exec 3<>"/dev/tcp/$HEAD_IP/$RAY_PORT") 2>/dev/null; do
  kill -0 "$ray_step" || exit 1
  sleep 2
done

# Machines that are late join later; the others begin.
python -m pipeline run "$study" --engine ray --address "$HEAD_IP:$RAY_PORT" --json-logs "$@"
