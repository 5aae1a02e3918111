package dev.muelle.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** A site that moves to HTTPS, with the stock command line, curl and openssl. */
class HttpsTest {

  @Test
  void aSiteMovesToHttps() throws Exception {
    try (TestRegion region = TestRegion.start("")) {
      int http = TestRegion.freePort();
      int https = TestRegion.freePort();
      String[] made =
          region
              .run(
                  """
                  subnets=$(aws ec2 describe-subnets --query 'Subnets[].SubnetId' --output text)
                  group=$(aws ec2 describe-security-groups --filters Name=group-name,Values=default \\
                    --query 'SecurityGroups[0].GroupId' --output text)
                  aws ec2 authorize-security-group-ingress --group-id $group --protocol tcp \\
                    --port 1-65535 --cidr 0.0.0.0/0 > /dev/null
                  aws elbv2 create-load-balancer --name site --subnets $subnets \\
                    --query 'LoadBalancers[0].[LoadBalancerArn,DNSName]' --output text
                  """)
              .strip()
              .split("\\s+", -1);
      String balancer = made[0];
      String name = made[1];
      String[] certificates =
          region
              .run(
                  """
                  set -e
                  aws elbv2 wait load-balancer-available --load-balancer-arns %s
                  one=$(aws acm request-certificate --domain-name %s --validation-method DNS \\
                    --key-algorithm EC_prime256v1 --query CertificateArn --output text)
                  aws acm wait certificate-validated --certificate-arn $one
                  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=www.foro.test \\
                    -addext subjectAltName=DNS:www.foro.test -keyout key.pem -out cert.pem 2> /dev/null
                  two=$(aws acm import-certificate --certificate fileb://cert.pem \\
                    --private-key fileb://key.pem --query CertificateArn --output text)
                  echo $one $two
                  """
                      .formatted(balancer, name))
              .strip()
              .split("\\s+", -1);
      String listener =
          region
              .run(
                  """
                  set -e
                  aws elbv2 create-listener --load-balancer-arn %1$s --protocol HTTP --port %2$d --default-actions \\
                    'Type=redirect,RedirectConfig={Protocol=HTTPS,Port=%3$d,StatusCode=HTTP_301}' > /dev/null
                  listener=$(aws elbv2 create-listener --load-balancer-arn %1$s --protocol HTTPS --port %3$d \\
                    --certificates CertificateArn=%4$s --ssl-policy ELBSecurityPolicy-TLS13-1-2-2021-06 --default-actions \\
                    'Type=fixed-response,FixedResponseConfig={StatusCode=200,MessageBody=secure}' \\
                    --query 'Listeners[0].ListenerArn' --output text)
                  aws elbv2 add-listener-certificates --listener-arn $listener \\
                    --certificates CertificateArn=%5$s > /dev/null
                  echo $listener
                  """
                      .formatted(balancer, http, https, certificates[0], certificates[1]))
              .strip();
      String at = name + ":" + https;
      assertEquals(
          "secure https://" + at + "/a?b=c",
          region
              .run(
                  "curl -sL --cacert \"$MUELLE_CA_BUNDLE\" -w ' %{url_effective}' 'http://"
                      + name
                      + ":"
                      + http
                      + "/a?b=c'")
              .strip());
      assertEquals(
          "secure",
          region
              .run(
                  "curl -s --cacert cert.pem --resolve www.foro.test:%1$d:127.0.0.1 https://www.foro.test:%1$d/"
                      .formatted(https))
              .strip());
      assertEquals(
          "2",
          region
              .run(
                  "curl -s --cacert \"$MUELLE_CA_BUNDLE\" -o /dev/null -w '%{http_version}' https://"
                      + at)
              .strip());
      assertTrue(
          region
              .run("curl -s http://" + at + "/")
              .contains("The plain HTTP request was sent to HTTPS port"));
      String old =
          "openssl s_client -connect 127.0.0.1:%d -servername %s -cipher DEFAULT@SECLEVEL=0 ";
      String hello =
          old.formatted(https, name) + "-tls1 < /dev/null 2>&1 | grep -c 'BEGIN CERT' || true";
      assertEquals("0", region.run(hello).strip(), "the policy begins at TLS 1.2");
      region.run(
          "aws elbv2 modify-listener --listener-arn "
              + listener
              + " --ssl-policy ELBSecurityPolicy-2016-08 > /dev/null");
      assertEquals("1", region.run(hello).strip(), "this one at TLS 1.0");
      assertTrue(
          region
              .run(
                  "aws acm delete-certificate --certificate-arn "
                      + certificates[0]
                      + " 2>&1 || true")
              .contains("ResourceInUseException"));
      assertEquals(
          balancer,
          region
              .run(
                  "aws acm describe-certificate --certificate-arn "
                      + certificates[0]
                      + " --query 'Certificate.InUseBy[0]' --output text")
              .strip());
      String shown =
          "openssl s_client -connect 127.0.0.1:%d -servername %s < /dev/null 2> /dev/null"
              .formatted(https, name);
      String print = shown + " | openssl x509 -noout -fingerprint -sha256";
      String before = region.run(print);
      region.server().destroyForcibly(); // kill -9
      region.server().onExit().get();
      region.up();
      String again = "curl -sf --max-time 5 --cacert \"$MUELLE_CA_BUNDLE\" https://" + at + "/";
      assertEquals(
          "secure",
          region.run("until " + again + "; do sleep 0.1; done").strip(),
          "trusted through the same authority");
      assertEquals(before, region.run(print), "the same certificate");
    }
  }
}
