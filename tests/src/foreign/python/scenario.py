"""What a stranger does with a server, and what the page promises to it."""

import threading

import grpc
import record_batch
from errors import failure
from grpc import StatusCode

TIME = 1700000000000
#: The worked example of docs/format/record-batch.md.
EXAMPLE = [
    record_batch.record(0, None, b"hello"),
    record_batch.record(-1, b"", b""),
    record_batch.record(200, "zoë".encode(), b"signed up", [(b"trace", b"a1"), (b"trace", b"")]),
]
DEADLINE_S = 30
FLUSHED = 2


def run(api, topic):
    """Leaves the records in `topic`, partition 0, for somebody else to read. Returns what was sent there."""
    stranger = Stranger(api, topic)
    assert record_batch.crc32c(b"123456789") == 0xE3069283
    stranger.creates_a_topic()
    stranger.produces_and_reads_back()
    stranger.expects_an_offset()
    stranger.repeats_a_batch()
    stranger.produces_on_a_stream()
    stranger.tails_and_cancels()
    stranger.polls()
    stranger.looks_offsets_up()
    stranger.sees_typed_errors()
    stranger.alters_the_topic()
    stranger.deletes()
    example = record_batch.seal(EXAMPLE, TIME)
    return {"example": example.hex(), "sent": [value.decode() for value in stranger.sent]}


class Stranger:
    def __init__(self, api, topic):
        self.api = api
        self.topic = topic
        #: Values of the records of partition 0, in order.
        self.sent = []

    def new(self, name, **fields):
        return self.api.message(name)(**fields)

    def log(self, method, request):
        return self.api.method("LogService", method)(request, timeout=DEADLINE_S)

    def admin(self, method, request):
        return self.api.method("AdminService", method)(request, timeout=DEADLINE_S)

    def fails(self, call):
        return failure(self.api, call)

    def position(self, **position):
        return self.new("Position", **position)

    def produce_request(self, batches, partition=0, **fields):
        return self.new("ProduceRequest", topic=self.topic, partition=partition, batches=batches, **fields)

    def produce(self, batches, **fields):
        return self.log("Produce", self.produce_request(batches, **fields))

    def batch(self, *values, **seal):
        """A batch that is sent and taken in."""
        self.sent += values
        return refused_batch(*values, **seal)

    def consume(self, partition=0, **fields):
        request = self.new("ConsumeRequest", topic=self.topic, partition=partition, **fields)
        return self.log("Consume", request)

    def records(self, partition=0, **fields):
        """What Consume gives, from the position asked for to the end of the log now."""
        found = []
        for answer in self.consume(partition, until=self.position(edge=2), **fields):
            if answer.WhichOneof("event") == "batches":
                found += record_batch.read(answer.batches)
            assert answer.log_end_offset >= answer.high_watermark > 0
        return found

    def creates_a_topic(self):
        config = self.new("TopicConfig", segment_bytes=2_000_000, retention_ms=3_600_000)
        request = self.new("CreateTopicRequest", topic=self.topic, partitions=3, config=config)
        made = self.admin("CreateTopic", request).topic
        assert (made.topic, made.partitioner, len(made.partitions)) == (self.topic, "fnv1a-32", 3)
        assert (made.config.segment_bytes, made.config.retention_ms) == (2_000_000, 3_600_000)
        assert not made.config.HasField("retention_bytes")
        code, detail = self.fails(lambda: self.admin("CreateTopic", request))
        assert (code, detail.code, detail.topic) == (StatusCode.ALREADY_EXISTS, "TOPIC_EXISTS", self.topic)
        topics = self.admin("ListTopics", self.new("ListTopicsRequest")).topics
        assert [topic.partition_count for topic in topics if topic.topic == self.topic] == [3]

    def produces_and_reads_back(self):
        self.sent += [b"hello", b"", b"signed up"]
        ack = self.produce(record_batch.seal(EXAMPLE, TIME), durability=FLUSHED)
        assert (ack.base_offset, ack.next_offset, ack.log_end_offset) == (0, 3, 3)
        assert ack.durability == FLUSHED and not ack.duplicate
        packed = self.batch(b"packed 1", b"packed 2", compress=True)
        assert self.produce(packed).base_offset == 3

        everything = self.records()
        assert [record["value"] for record in everything] == self.sent
        assert [record["offset"] for record in everything] == list(range(5))
        assert [record["key"] for record in everything[:3]] == [None, b"", "zoë".encode()]
        assert [record["timestamp"] - TIME for record in everything[:3]] == [0, -1, 200]
        assert everything[2]["headers"] == [(b"trace", b"a1"), (b"trace", b"")]
        # Batches are whole: from within one, its first records come too, to be dropped.
        assert self.records(**{"from": self.position(offset=1)})[0]["offset"] == 0

        key = b"flight 17"
        partition = record_batch.fnv1a32(key) % 3
        keyed = record_batch.seal([record_batch.record(0, key, b"landed")], TIME)
        base = self.produce(keyed, partition=partition).base_offset
        found = self.records(partition)[-1]
        assert (found["offset"], found["key"]) == (base, key)
        if partition == 0:
            self.sent.append(b"landed")

    def expects_an_offset(self):
        end = len(self.sent)
        assert self.produce(self.batch(b"expected"), expected_offset=end).base_offset == end
        code, detail = self.fails(lambda: self.produce(refused_batch(b"too late"), expected_offset=end))
        assert (code, detail.code) == (StatusCode.FAILED_PRECONDITION, "WRONG_EXPECTED_OFFSET")
        assert (detail.expected, detail.actual) == (end, end + 1)
        # That an empty log is expected is another thing than that nothing is.
        code, detail = self.fails(lambda: self.produce(refused_batch(b"not the first"), expected_offset=0))
        assert (detail.code, detail.expected) == ("WRONG_EXPECTED_OFFSET", 0)

    def repeats_a_batch(self):
        me = self.log("AllocateProducerId", self.new("AllocateProducerIdRequest")).producer_id
        assert me >= 1
        first = self.batch(b"once 1", b"once 2", b"once 3", producer=(me, 0, 2**32 - 2))
        ack = self.produce(first)
        again = self.produce(first)
        assert again.duplicate and not ack.duplicate
        assert (again.base_offset, again.next_offset) == (ack.base_offset, ack.next_offset)
        # The sequence goes on behind 2^32 - 1 with 0.
        assert self.produce(self.batch(b"once 4", producer=(me, 0, 1))).base_offset == ack.next_offset
        code, detail = self.fails(lambda: self.produce(refused_batch(b"gap", producer=(me, 0, 3))))
        assert (code, detail.code) == (StatusCode.FAILED_PRECONDITION, "OUT_OF_ORDER_SEQUENCE")
        assert (detail.expected, detail.actual) == (2, 3)
        self.produce(self.batch(b"anew", producer=(me, 1, 77)))
        code, detail = self.fails(lambda: self.produce(refused_batch(b"stale", producer=(me, 0, 2))))
        assert (code, detail.code) == (StatusCode.FAILED_PRECONDITION, "PRODUCER_FENCED")

    def produces_on_a_stream(self):
        end = len(self.sent)
        requests = [
            self.produce_request(self.batch(b"stream 1")),
            self.produce_request(refused_batch(b"refused"), expected_offset=end),
            self.produce_request(self.batch(b"stream 2")),
        ]
        answers = list(self.log("ProduceStream", iter(requests)))
        assert [answer.WhichOneof("result") for answer in answers] == ["ack", "error", "ack"]
        assert [answers[0].ack.base_offset, answers[2].ack.base_offset] == [end, end + 1]
        assert (answers[1].error.code, answers[1].error.actual) == ("WRONG_EXPECTED_OFFSET", end + 1)

    def tails_and_cancels(self):
        call = self.consume(**{"from": self.position(edge=2)})
        assert next(call).WhichOneof("event") == "caught_up"
        end = len(self.sent)
        self.produce(self.batch(b"at the tail"))
        answer = next(call)
        assert record_batch.read(answer.batches)[0]["offset"] == end
        assert answer.high_watermark == end + 1
        assert next(call).WhichOneof("event") == "caught_up"
        call.cancel()
        try:
            next(call)
        except grpc.RpcError as error:
            assert error.code() == StatusCode.CANCELLED
        else:
            raise AssertionError("a cancelled call goes on")

    def polls(self):
        end = len(self.sent)

        def fetch(offset, **fields):
            start = self.position(offset=offset)
            return self.log("Fetch", self.new("FetchRequest", topic=self.topic, **{"from": start}, **fields))

        nothing = fetch(end, max_wait_ms=50)
        assert (nothing.next_offset, nothing.high_watermark, nothing.batches) == (end, end, b"")
        everything = fetch(0)
        assert [record["value"] for record in record_batch.read(everything.batches)] == self.sent
        assert (everything.next_offset, everything.log_start_offset, everything.log_end_offset) == (end, 0, end)

        answers = []
        waiting = threading.Thread(target=lambda: answers.append(fetch(end, max_wait_ms=20_000)))
        waiting.start()
        self.produce(self.batch(b"polled"))
        waiting.join()
        assert [record["value"] for record in record_batch.read(answers[0].batches)] == [b"polled"]

    def looks_offsets_up(self):
        end = len(self.sent)
        third = self.records()[3]
        positions = [{"edge": 1}, {"edge": 2}, {"time": third["append_time"]}, {"time": 2**52}, {"offset": 2}]
        partitions = [
            self.new("PartitionPosition", partition=0, position=self.position(**position)) for position in positions
        ]
        found = self.log("ListOffsets", self.new("ListOffsetsRequest", topic=self.topic, partitions=partitions)).offsets
        earliest, latest, timed, future, plain = [each.offset for each in found]
        assert (earliest, latest, future, plain) == (0, end, end, 2)
        assert 0 <= timed <= third["offset"]
        assert (found[0].log_start_offset, found[0].high_watermark, found[0].log_end_offset) == (0, end, end)

    def sees_typed_errors(self):
        def elsewhere(**fields):
            return self.log("Produce", self.new("ProduceRequest", batches=refused_batch(b"x"), **fields))

        code, detail = self.fails(lambda: elsewhere(topic="nowhere"))
        assert (code, detail.code, detail.topic) == (StatusCode.NOT_FOUND, "UNKNOWN_TOPIC", "nowhere")
        code, detail = self.fails(lambda: elsewhere(topic=self.topic, partition=9))
        assert (code, detail.code, detail.partition) == (StatusCode.NOT_FOUND, "UNKNOWN_PARTITION", 9)
        damaged = bytearray(refused_batch(b"x"))
        damaged[-1] ^= 1
        code, detail = self.fails(lambda: self.produce(bytes(damaged)))
        assert (code, detail.code) == (StatusCode.INVALID_ARGUMENT, "CORRUPT_BATCH")
        assert detail.HasField("byte") and not detail.HasField("retry_after_ms")
        beyond = {"from": self.position(offset=2_000_000)}
        code, detail = self.fails(lambda: list(self.consume(**beyond)))
        assert (code, detail.code, detail.offset) == (StatusCode.OUT_OF_RANGE, "OFFSET_OUT_OF_RANGE", 2_000_000)
        request = self.new("CreateTopicRequest", topic="../../etc", partitions=1)
        code, detail = self.fails(lambda: self.admin("CreateTopic", request))
        assert (code, detail.code) == (StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT")

    def alters_the_topic(self):
        change = self.new("TopicConfig", retention_bytes=5_000_000)
        request = self.new("AlterTopicConfigRequest", topic=self.topic, set=change, unset=["retention_ms"])
        config = self.admin("AlterTopicConfig", request).config
        assert (config.segment_bytes, config.retention_bytes) == (2_000_000, 5_000_000)
        assert not config.HasField("retention_ms")
        described = self.admin("DescribeTopic", self.new("DescribeTopicRequest", topic=self.topic)).topic
        assert described.config == config
        assert [each.partition for each in described.partitions] == [0, 1, 2]
        assert described.partitions[0].log_end_offset == len(self.sent)

    def deletes(self):
        self.topic += "-doomed"
        request = self.new("CreateTopicRequest", topic=self.topic, partitions=1)
        self.admin("CreateTopic", request)
        for value in [b"1", b"2", b"3"]:
            self.produce(refused_batch(value))
        before = self.new("DeleteRecordsRequest", topic=self.topic, before=self.position(offset=2))
        assert self.admin("DeleteRecords", before).log_start_offset == 2
        code, detail = self.fails(lambda: list(self.consume(**{"from": self.position(offset=0)})))
        assert (code, detail.code, detail.expected) == (StatusCode.OUT_OF_RANGE, "OFFSET_OUT_OF_RANGE", 2)
        assert [record["value"] for record in self.records()][-1] == b"3"
        self.admin("DeleteTopic", self.new("DeleteTopicRequest", topic=self.topic))
        code, detail = self.fails(lambda: self.produce(refused_batch(b"4")))
        assert (code, detail.code) == (StatusCode.NOT_FOUND, "UNKNOWN_TOPIC")


def refused_batch(*values, **seal):
    """A batch that the log does not keep, or not in the topic that is read in the end."""
    return record_batch.seal([record_batch.record(0, None, value) for value in values], TIME, **seal)
