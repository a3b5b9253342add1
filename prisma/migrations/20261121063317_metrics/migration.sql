-- CreateTable
CREATE TABLE "metric" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "resource_type" TEXT NOT NULL,
    "resource_id" INTEGER NOT NULL,
    "resolution" INTEGER NOT NULL,
    "at" DATETIME NOT NULL,
    "cpu" REAL NOT NULL,
    "memory_bytes" REAL NOT NULL,
    "disk_read_bytes" REAL,
    "disk_write_bytes" REAL,
    "disk_reads" REAL,
    "disk_writes" REAL,
    "net_rx_bytes" REAL,
    "net_tx_bytes" REAL,
    "net_rx_packets" REAL,
    "net_tx_packets" REAL,
    "disk_used_bytes" REAL,
    "temperature" REAL
);

-- CreateIndex
CREATE INDEX "metric_resource_type_resource_id_resolution_at_idx" ON "metric"("resource_type", "resource_id", "resolution", "at");

-- CreateIndex
CREATE INDEX "metric_resolution_at_idx" ON "metric"("resolution", "at");
