package dev.muelle.services.cloudwatch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.services.cloudwatch.model.CloudWatchException;
import software.amazon.awssdk.services.cloudwatch.model.ComparisonOperator;
import software.amazon.awssdk.services.cloudwatch.model.Statistic;

/** Images by their pixels: the colors that a widget chooses are where its data are. */
@SuppressWarnings("unchecked") // of consumers, in the SDK's variable arguments
class WidgetImagesTest {

  private static final int MAGENTA = 0xff00ff;
  private static final int CYAN = 0x00ffff;
  private static final String RANGE =
      "'start':'2026-11-21T12:00:00Z','end':'2026-11-21T12:10:00Z','period':60,"
          + "'legend':{'position':'hidden'},";

  @TempDir Path directory;
  private World world;

  @BeforeEach
  void open() {
    world = new World(directory);
    world.minutes("high", 90, 90, 90, 90, 90, 90, 90, 90, 90, 90);
    world.minutes("low", 10, 10, 10, 10, 10, 10, 10, 10, 10, 10);
    world.time.advance(Duration.ofMinutes(10));
  }

  @AfterEach
  void close() {
    world.close();
  }

  private BufferedImage draw(String widget) throws IOException {
    byte[] png =
        world
            .cloudWatch
            .getMetricWidgetImage(r -> r.metricWidget(widget.replace('\'', '"')))
            .metricWidgetImage()
            .asByteArray();
    return ImageIO.read(new ByteArrayInputStream(png));
  }

  /** How many pixels have about this color, and how far down they are. */
  private record Found(long pixels, double height) {
    static Found of(BufferedImage image, int color) {
      long count = 0;
      double sum = 0;
      for (int y = 0; y < image.getHeight(); y++) {
        for (int x = 0; x < image.getWidth(); x++) {
          int seen = image.getRGB(x, y);
          boolean near = true;
          for (int shift = 0; shift <= 16; shift += 8) {
            near &= Math.abs((seen >> shift & 0xff) - (color >> shift & 0xff)) <= 110;
          }
          if (near) {
            count++;
            sum += y;
          }
        }
      }
      return new Found(count, sum / count / image.getHeight());
    }
  }

  @Test
  void linesAreWhereTheirValuesAre() throws IOException {
    BufferedImage image =
        draw(
            "{"
                + RANGE
                + "'width':500,'height':250,'yAxis':{'left':{'min':0,'max':100}},'metrics':["
                + "['App','high',{'color':'#f0f'}],['.','low',{'color':'#00ffff'}]]}");
    assertEquals(500, image.getWidth());
    assertEquals(250, image.getHeight());
    assertTrue(Found.of(image, MAGENTA).height() < 0.3);
    assertTrue(Found.of(image, CYAN).height() > 0.65);
  }

  @Test
  void mathIsDrawnAndWhatIsNotVisibleIsNot() throws IOException {
    BufferedImage image =
        draw(
            "{"
                + RANGE
                + "'yAxis':{'left':{'min':0,'max':1000}},'metrics':["
                + "['App','high',{'id':'a','visible':false,'color':'#00ffff'}],"
                + "[{'expression':'a*10','label':'ten times','id':'b','color':'#ff00ff'}]]}");
    assertTrue(Found.of(image, MAGENTA).height() < 0.3);
    assertEquals(0, Found.of(image, CYAN).pixels());
  }

  @ParameterizedTest
  @ValueSource(strings = {"bar", "pie", "singleValue", "gauge"})
  void otherViews(String view) throws IOException {
    BufferedImage image =
        draw(
            "{"
                + RANGE
                + "'view':'"
                + view
                + "','yAxis':{'left':{'min':0,'max':100}},'setPeriodToTimeRange':true,"
                + "'metrics':[['App','high',{'color':'#ff00ff'}]]}");
    assertTrue(Found.of(image, MAGENTA).pixels() > 20);
  }

  @Test
  void annotationsAreDrawn() throws IOException {
    String metrics =
        "'metrics':[['App','low',{'color':'#000'}]],'yAxis':{'left':{'min':0,'max':100}}}";
    BufferedImage image =
        draw(
            "{"
                + RANGE
                + "'annotations':{'horizontal':[{'label':'limit','value':80,'color':'#ff00ff'},"
                + "[{'value':20,'visible':false,'color':'#00ffff'},{'value':30}]],"
                + "'vertical':[{'value':'2026-11-21T12:05:00Z','color':'#ffff00'}]},"
                + metrics);
    assertTrue(Found.of(image, MAGENTA).height() < 0.4);
    assertTrue(Found.of(image, 0xffff00).pixels() > 100);
    assertEquals(0, Found.of(image, CYAN).pixels());
  }

  @Test
  void anAlarmIsDrawnWithItsThreshold() throws IOException {
    world.cloudWatch.putMetricAlarm(r ->
        r.alarmName("full")
            .namespace("App")
            .metricName("low")
            .statistic(Statistic.AVERAGE)
            .period(60)
            .evaluationPeriods(1)
            .threshold(80.0)
            .comparisonOperator(ComparisonOperator.GREATER_THAN_THRESHOLD));
    String arn = "arn:aws:cloudwatch:us-east-1:000000000000:alarm:full";
    BufferedImage image = draw("{" + RANGE + "'annotations':{'alarms':['" + arn + "']}}");
    assertTrue(Found.of(image, 0xd13212).pixels() > 100);
    assertTrue(Found.of(image, 0x1f77b4).height() > 0.65);
  }

  /** Dots repeat the line before; three of them as much of it as is left. */
  @Test
  void dotsRepeat() throws IOException {
    world.cloudWatch.putMetricData(r ->
        r.namespace("App")
            .metricData(m ->
                m.metricName("m")
                    .value(50.0)
                    .timestamp(World.START)
                    .dimensions(
                        d -> d.name("Service").value("x"), d -> d.name("Host").value("b"))));
    BufferedImage image =
        draw(
            "{"
                + RANGE
                + "'metrics':[['App','m','Service','x','Host','a'],"
                + "['...','b',{'color':'#ff00ff'}]]}");
    assertTrue(Found.of(image, MAGENTA).pixels() > 4);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{ | not valid JSON",
        "[] | Should be object",
        "{} | either metrics or",
        "{'metrics':[['App']]} | a namespace, a metric name",
        "{'metrics':[['.','x']]} | Nothing before it",
        "{'metrics':[['App','x']],'width':2001} | /width",
        "{'metrics':[['App','x']],'height':'1'} | Should be integer",
        "{'metrics':[['App','x',{'colour':'#fff'}]]} | additional properties: [colour]",
        "{'metrics':[['App','x',{'color':'red'}]]} | Should be a color",
        "{'metrics':[['App','x']],'view':'donut'} | allowed values",
        "{'metrics':[['App','x']],'view':'gauge'} | min and max",
        "{'metrics':[['App','x']],'start':'yesterday'} | ISO 8601",
        "{'metrics':[['App','x']],'start':'-PT1H','end':'-PT2H'} | before end",
        "{'metrics':[['App','x']],'timezone':'CET'} | +0130",
        "{'metrics':[['App','x']],'stat':'most'} | stat",
        "{'metrics':[['App','x']],'period':7} | period",
        "{'metrics':[['App','x']],'liveData':true} | liveData",
        "{'metrics':[['App','x',{'visible':false}]]} | visible",
        "{'metrics':[['App','x']],'annotations':{'alarms':['arn:x']}} | either metrics or",
        "{'annotations':{'alarms':['arn:x']}} | arn:x",
        "{'metrics':[[{'expression':'nope+1'}]]} | nope"
      })
  void whatIsWrongIsNamed(String widget, String message) {
    CloudWatchException e = assertThrows(CloudWatchException.class, () -> draw(widget));
    assertTrue(e.getMessage().contains(message), e.getMessage());
  }

  @Test
  void theConsoleWritesNowAsNoTimeAgo() throws IOException {
    String widget = "{\"metrics\":[[\"App\",\"x\"]],\"start\":\"-PT6H\",\"end\":\"P0D\"}";
    assertEquals(600, draw(widget).getWidth());
  }

  @Test
  void formats() {
    String widget = "{\"metrics\":[[\"App\",\"low\"]]}";
    world.cloudWatch.getMetricWidgetImage(r -> r.metricWidget(widget).outputFormat("png"));
    for (String format : new String[] {"image/png", "jpeg"}) {
      CloudWatchException e =
          assertThrows(
              CloudWatchException.class,
              () ->
                  world.cloudWatch.getMetricWidgetImage(
                      r -> r.metricWidget(widget).outputFormat(format)));
      assertTrue(e.getMessage().contains(format));
    }
    assertThrows(CloudWatchException.class, () -> world.cloudWatch.getMetricWidgetImage(r -> {}));
  }
}
