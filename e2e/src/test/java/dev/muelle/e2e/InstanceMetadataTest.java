package dev.muelle.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What runs in an EC2 instance asks for its metadata, over packets. */
@Timeout(300)
class InstanceMetadataTest extends RegionTest {

  @AfterEach
  void nothingIsFar() throws Exception {
    shell.run("ip netns del far-$NS 2> /dev/null || true");
  }

  @Test
  void whoIsInItAsksAndWhoIsBehindItAsFarAsTheLimitSays() throws Exception {
    shell.run(
        """
        aws ec2 create-key-pair --key-name mine --key-type ed25519 --query KeyMaterial \\
          --output text > mine.pem
        AMI=$(aws ssm get-parameters-by-path --recursive --output text \\
          --path /aws/service/ecs/optimized-ami/amazon-linux-2023 \\
          --query "Parameters[?ends_with(Name, 'recommended/image_id')].Value")
        I=$(aws ec2 run-instances --image-id $AMI --instance-type t3.micro --subnet-id $SUBNET \\
          --key-name mine --iam-instance-profile Name=LabInstanceProfile \\
          --metadata-options HttpTokens=optional,HttpPutResponseHopLimit=1 \\
          --query 'Instances[0].InstanceId' --output text)
        aws ec2 wait instance-running --instance-ids $I
        NS=%s-$(aws ec2 describe-instances --instance-ids $I --output text \\
          --query 'Reservations[0].Instances[0].NetworkInterfaces[0].NetworkInterfaceId')
        AT=http://169.254.169.254/latest
        near() { nsenter --net=/run/netns/$NS "$@"; }
        token() {
          curl -sS --max-time 3 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' $AT/api/token
        }
        export AT
        export -f token
        """
            .formatted(region.instance()));
    String id = shell.run("echo $I");
    assertEquals(id, shell.run("near curl -sf --max-time 60 $AT/meta-data/instance-id"));
    assertEquals(
        id,
        shell.run(
            """
            near curl -sf -H "X-aws-ec2-metadata-token: $(near bash -c token)" \\
              $AT/meta-data/instance-id
            """));
    String key = shell.run("near curl -sf $AT/meta-data/public-keys/0/openssh-key");
    assertEquals(
        key,
        shell.run(
            """
            aws ec2 describe-key-pairs --key-names mine --include-public-key --output text \\
              --query 'KeyPairs[0].PublicKey'
            """));

    // The keys of its role are good at the region's own door.
    String arn =
        shell.run(
            """
            KEYS=$(near curl -sf $AT/meta-data/iam/security-credentials/LabRole)
            AWS_ACCESS_KEY_ID=$(jq -r .AccessKeyId <<< "$KEYS") \\
              AWS_SECRET_ACCESS_KEY=$(jq -r .SecretAccessKey <<< "$KEYS") \\
              AWS_SESSION_TOKEN=$(jq -r .Token <<< "$KEYS") \\
              aws sts get-caller-identity --query Arn --output text
            """);
    assertEquals("arn:aws:sts::000000000000:assumed-role/LabRole/" + id, arn);
    assertTrue(
        shell
            .attempt(
                """
                AWS_ACCESS_KEY_ID=$(jq -r .AccessKeyId <<< "$KEYS") \\
                  AWS_SECRET_ACCESS_KEY=$(jq -r .SecretAccessKey <<< "$KEYS") \\
                  AWS_SESSION_TOKEN=nonsense aws sts get-caller-identity 2>&1 || true
                """)
            .output()
            .contains("InvalidClientTokenId"));

    // One router further away, as a container on a bridge is.
    shell.run(
        """
        ip netns add far-$NS
        ip link add far0 netns $NS type veth peer name eth0 netns far-$NS
        ip -n $NS addr add 172.17.0.1/24 dev far0
        ip -n $NS link set far0 up
        near sysctl -qw net.ipv4.ip_forward=1
        near nft 'add table ip far; add chain ip far out { type nat hook postrouting priority 100; };
          add rule ip far out ip saddr 172.17.0.0/24 oifname eth0 masquerade'
        ip -n far-$NS addr add 172.17.0.2/24 dev eth0
        ip -n far-$NS link set eth0 up
        ip -n far-$NS route add default via 172.17.0.1
        far() { nsenter --net=/run/netns/far-$NS "$@"; }
        """);
    assertEquals(
        id,
        shell.run("far curl -sf --max-time 60 $AT/meta-data/instance-id"),
        "no token: no limit");
    assertEquals("28", shell.run("far bash -c token 2> /dev/null || echo $?"), "never answered");
    shell.run(
        """
        aws ec2 modify-instance-metadata-options --instance-id $I --http-put-response-hop-limit 2 \\
          --http-tokens required > /dev/null
        """);
    assertEquals(
        id,
        shell.run(
            """
            far curl -sf -H "X-aws-ec2-metadata-token: $(far bash -c token)" \\
              $AT/meta-data/instance-id
            """));
    assertEquals(
        "401", shell.run("near curl -s -o /dev/null -w '%{http_code}' $AT/meta-data/instance-id"));

    // What its status checks say is what is the case.
    String status =
        """
        aws ec2 describe-instance-status --instance-ids $I --output text \\
          --query 'InstanceStatuses[0].[InstanceStatus.Status,SystemStatus.Status]'
        """;
    assertEquals("ok\tok", shell.run(status));
    shell.run("near ip link set eth0 down");
    assertEquals("impaired\tok", shell.run(status));
    shell.run(
        """
        aws ec2 terminate-instances --instance-ids $I > /dev/null
        aws ec2 wait instance-terminated --instance-ids $I
        """);
  }
}
