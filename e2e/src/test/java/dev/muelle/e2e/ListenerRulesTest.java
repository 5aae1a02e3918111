package dev.muelle.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/** A monolith's paths behind one load balancer, with the stock command line and curl. */
class ListenerRulesTest {

  @Test
  void pathsHostsAndRedirects() throws Exception {
    try (TestRegion region = TestRegion.start("")) {
      String balancer =
          region.run(
              """
              subnets=$(aws ec2 describe-subnets --query 'Subnets[].SubnetId' --output text)
              aws elbv2 create-load-balancer --name foro --subnets $subnets \\
                --query 'LoadBalancers[0].[LoadBalancerArn,DNSName]' --output text
              """);
      String arn = balancer.split("\\s+", -1)[0];
      String name = balancer.split("\\s+", -1)[1];
      int port = TestRegion.freePort();
      region.run(
          """
          group=$(aws ec2 describe-security-groups --filters Name=group-name,Values=default \\
            --query 'SecurityGroups[0].GroupId' --output text)
          aws ec2 authorize-security-group-ingress --group-id $group --protocol tcp --port %d --cidr 0.0.0.0/0
          aws elbv2 wait load-balancer-available --load-balancer-arns %s
          """
              .formatted(port, arn));
      String listener =
          region
              .run(
                  """
                  aws elbv2 create-listener --load-balancer-arn %s --protocol HTTP --port %d \\
                    --default-actions 'Type=fixed-response,FixedResponseConfig={StatusCode=404,MessageBody=nowhere}' \\
                    --query 'Listeners[0].ListenerArn' --output text
                  """
                      .formatted(arn, port))
              .strip();
      region.run(
          """
          rule() { aws elbv2 create-rule --listener-arn %s "$@"; }
          rule --priority 10 --conditions Field=path-pattern,Values='/api/users*' \\
            --actions 'Type=fixed-response,FixedResponseConfig={StatusCode=200,MessageBody=users}'
          rule --priority 20 --conditions '[{"Field":"http-header","HttpHeaderConfig":{"HttpHeaderName":"X-Beta","Values":["yes"]}},
              {"Field":"http-request-method","HttpRequestMethodConfig":{"Values":["GET"]}}]' \\
            --actions 'Type=fixed-response,FixedResponseConfig={StatusCode=200,MessageBody=beta}'
          rule --priority 30 --conditions Field=path-pattern,Values=/viejo \\
            --actions 'Type=redirect,RedirectConfig={Path=/nuevo,StatusCode=HTTP_301}'
          """
              .formatted(listener));
      String at = "http://" + name + ":" + port;
      assertEquals("users", region.run("curl -s " + at + "/api/users/1").strip());
      assertEquals("beta", region.run("curl -s -H 'X-Beta: yes' " + at + "/").strip());
      assertEquals(
          "nowhere404",
          region.run("curl -s -XPOST -w '%{http_code}' -H 'X-Beta: yes' " + at + "/").strip());
      assertEquals(
          "301 " + at + "/nuevo?a=b",
          region
              .run("curl -s -o /dev/null -w '%{http_code} %{redirect_url}' '" + at + "/viejo?a=b'")
              .strip());
      assertEquals(
          "10\t20\t30\tdefault",
          region
              .run(
                  "aws elbv2 describe-rules --listener-arn "
                      + listener
                      + " --query 'Rules[].Priority' --output text")
              .strip());
      assertEquals(
          "3 3",
          region
              .run(
                  """
                  subnets=$(aws ec2 describe-subnets --query 'Subnets[:2].SubnetId' --output text)
                  flows=$(aws elbv2 create-load-balancer --name flows --type network --subnets $subnets \\
                    --query 'LoadBalancers[0].LoadBalancerArn' --output text)
                  aws elbv2 modify-load-balancer-attributes --load-balancer-arn $flows \\
                    --attributes Key=secondary_ips.auto_assigned.per_subnet,Value=2 > /dev/null
                  echo $(aws ec2 describe-network-interfaces \\
                    --filters Name=interface-type,Values=network_load_balancer \\
                    --query 'NetworkInterfaces[].length(PrivateIpAddresses)' --output text)
                  """)
              .strip());
      assertEquals(
          "ACTIVE 0.0 CANCELED 1.0",
          region
              .run(
                  """
                  balancer=%s
                  aws elbv2 modify-load-balancer-attributes --load-balancer-arn $balancer \\
                    --attributes Key=zonal_shift.config.enabled,Value=true > /dev/null
                  zone=$(aws arc-zonal-shift list-managed-resources \\
                    --query "items[?arn=='$balancer'].availabilityZones[0]" --output text)
                  weight() { aws arc-zonal-shift get-managed-resource --resource-identifier $balancer \\
                    --query "appliedWeights.\\"$zone\\"" --output text; }
                  shift=$(aws arc-zonal-shift start-zonal-shift --resource-identifier $balancer \\
                    --away-from $zone --expires-in 2h --comment 'a rehearsal' \\
                    --query '[status,zonalShiftId]' --output text)
                  echo $(echo "$shift" | cut -f1) $(weight) \\
                    $(aws arc-zonal-shift cancel-zonal-shift --zonal-shift-id $(echo "$shift" | cut -f2) \\
                      --query status --output text) $(weight)
                  """
                      .formatted(arn))
              .strip());
    }
  }
}
