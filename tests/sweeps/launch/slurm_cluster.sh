#!/bin/sh
# A Slurm cluster of two nodes inside of fresh namespaces, each node with a network of its own. Run it as root:
#   unshare --net --mount --uts --pid --fork --mount-proc --kill-child sh slurm_cluster.sh FOLDER CPUS_PER_NODE
# It prints "ready" once the nodes are idle. Its end ends every process of the cluster.
set -eu
folder=$1 cpus=$2
cd "$folder"
mkdir -p state log run tmp
chmod 755 "$folder" .
hostname login
ip link set lo up
ip link add cluster type bridge
ip addr add 10.77.0.1/24 dev cluster
ip link set cluster up
printf '127.0.0.1 localhost\n10.77.0.1 login\n10.77.0.11 n1\n10.77.0.12 n2\n' >hosts
mount --bind hosts /etc/hosts
mount -t tmpfs none /run

cat >slurm.conf <<CONF
ClusterName=test
SlurmctldHost=login
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool-%n
SlurmctldPidFile=$folder/run/slurmctld.pid
SlurmdPidFile=$folder/run/slurmd-%n.pid
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdLogFile=$folder/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=bf_interval=1,sched_interval=2,batch_sched_delay=0
MpiDefault=none
KillWait=30
MinJobAge=3600
ReturnToService=2
SlurmdParameters=config_overrides
NodeName=n[1-2] CPUs=$cpus RealMemory=8000
PartitionName=debug Nodes=n1,n2 Default=YES MaxTime=INFINITE
CONF
export SLURM_CONF="$folder/slurm.conf"

dd if=/dev/urandom of=munge.key bs=1024 count=1 2>/dev/null
chmod 400 munge.key
munged --force --key-file=munge.key --socket="$folder/munge.socket" --pid-file="$folder/run/munged.pid" \
  --log-file="$folder/log/munged.log" --seed-file="$folder/munge.seed"
slurmctld -D >log/slurmctld.out 2>&1 &
for number in 1 2; do
  node=n$number
  mkdir -p "spool-$node"
  ip netns add "$node"
  ip link add "to-$node" type veth peer name eth0 netns "$node"
  ip link set "to-$node" master cluster up
  ip -n "$node" addr add "10.77.0.1$number/24" dev eth0
  ip -n "$node" link set eth0 up
  ip -n "$node" link set lo up
  nsenter --net="/run/netns/$node" unshare --uts sh -c "hostname $node && exec slurmd -D" >"log/slurmd-$node.out" 2>&1 &
done
tries=0
until [ "$(sinfo --noheader --states=idle --format=%D 2>/dev/null)" = 2 ]; do
  tries=$((tries + 1))
  [ "$tries" -lt 60 ] || { cat log/*; exit 1; }
  sleep 0.5
done
echo ready
wait
